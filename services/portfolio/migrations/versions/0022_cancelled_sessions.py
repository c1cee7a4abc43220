"""Of the courses that steps wait for, which sessions are cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("cancelled", sa.ARRAY(sa.Text), nullable=False, server_default="{}")
    op.add_column("courses", column)
