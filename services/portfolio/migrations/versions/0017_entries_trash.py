"""Entries get a trash and an order, which begins as it was: the newest first."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entries", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    op.add_column("entries", sa.Column("position", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE entries SET position = extract(epoch FROM created_at) * 1000000")
    in_trash = sa.text("deleted_at IS NOT NULL")
    op.create_index("entries_trash", "entries", ["deleted_at"], postgresql_where=in_trash)
    op.create_index("entries_order", "entries", ["holder_id", "position", "id"])
