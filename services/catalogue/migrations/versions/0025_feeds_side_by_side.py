"""Feed runs side by side: whose turn a run is, and how much of it is written; uploads that a job compares."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
TURNS = """
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS applied_count BIGINT NOT NULL DEFAULT '0';
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS turn INTEGER NOT NULL DEFAULT '0';
"""

UPLOADS = """
ALTER TABLE uploads ADD COLUMN IF NOT EXISTS checking BOOLEAN NOT NULL DEFAULT 'false';
ALTER TABLE uploads ADD COLUMN IF NOT EXISTS fault TEXT NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS uploads_checking ON uploads (id) WHERE checking;
"""


def upgrade() -> None:
    op.execute(TURNS)
    op.execute(UPLOADS)
