"""Whom which occupations were suggested to, by gender, of those who consented."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "exposure_consents",
        sa.Column(
            "holder_id",
            sa.Text,
            sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("counted", sa.LargeBinary, nullable=False),
        sa.Column("withdrawn_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )
    op.create_index(
        "exposure_consents_in_force",
        "exposure_consents",
        ["holder_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "idea_exposures",
        sa.Column("month", sa.Date, primary_key=True),
        sa.Column("isco_code", sa.Text, primary_key=True),
        sa.Column("gender", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("people", sa.Integer, nullable=False),
    )
