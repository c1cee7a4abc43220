"""What documents said that a portfolio has no place for."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "remainders",
        sa.Column(
            "holder_id",
            sa.Text,
            sa.ForeignKey("holder_keys.holder_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("format", sa.SmallInteger, nullable=False),
        sa.Column("entry_id", sa.Text),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["holder_id", "entry_id"], ["entries.holder_id", "entries.id"], ondelete="CASCADE"
        ),
    )
    op.create_index(
        "remainders_entry",
        "remainders",
        ["holder_id", "entry_id"],
        postgresql_where=sa.text("entry_id IS NOT NULL"),
    )
