"""How far a feed run has read its file, for whoever takes it up."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # IF NOT EXISTS: the first migration makes the tables as they are today.
    op.execute("ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS reading JSONB NOT NULL DEFAULT '{}'")
