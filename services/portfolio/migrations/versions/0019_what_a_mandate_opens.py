"""Mandates open parts of what their purpose opens, on so many days; those from before: all, on any."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    of_parts = sa.ARRAY(sa.SmallInteger)
    op.add_column("mandates", sa.Column("parts", of_parts, nullable=False, server_default="{}"))
    for column in ("max_uses", "uses"):
        op.add_column("mandates", sa.Column(column, sa.Integer, nullable=False, server_default="0"))
    op.add_column("mandates", sa.Column("used_on", sa.Date))
    op.create_check_constraint("mandates_uses", "mandates", "max_uses = 0 OR uses <= max_uses")
