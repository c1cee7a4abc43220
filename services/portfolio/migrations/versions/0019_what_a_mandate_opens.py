"""Mandates open parts of what their purpose opens, on so many days; those from before: all, on any."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    parts = sa.Column("parts", sa.ARRAY(sa.SmallInteger), nullable=False, server_default="{}")
    op.add_column("mandates", parts)
    for column in ("max_uses", "uses"):
        op.add_column("mandates", sa.Column(column, sa.Integer, nullable=False, server_default="0"))
    op.add_column("mandates", sa.Column("used_on", sa.Date))
    op.create_check_constraint("mandates_uses", "mandates", "max_uses = 0 OR uses <= max_uses")
