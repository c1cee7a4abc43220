"""Of the courses that steps wait for, which sessions are cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    names = sa.ARRAY(sa.Text)
    op.add_column("courses", sa.Column("cancelled", names, nullable=False, server_default="{}"))
