"""What the catalogue tells of courses is kept, and of a redemption which session it booked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "courses",
        sa.Column("course", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("sessions", JSONB, nullable=False),
    )
    op.add_column("step_redemptions", sa.Column("session", sa.Text, nullable=False, server_default=""))
    named = sa.text("course <> ''")
    op.create_index("pathway_steps_named", "pathway_steps", ["course"], postgresql_where=named)
