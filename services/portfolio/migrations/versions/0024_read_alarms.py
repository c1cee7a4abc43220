"""Who looked at as many people in a day as anybody may is kept, for a second person to ask why."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "read_alarms",
        sa.Column("raised_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("reader", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
    )
