"""Courses that a feed left out wait as missing before they are removed, as long as their source says."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # IF NOT EXISTS: the first migration makes the tables as they are today.
    added = {
        "sources": ("removal_grace_feeds smallint NOT NULL DEFAULT 0",),
        "feed_runs": ("courses_missing bigint NOT NULL DEFAULT 0",),
        "courses": (
            "missing_feeds smallint NOT NULL DEFAULT 0",
            "missing_run uuid",
            "missing_time timestamptz",
        ),
    }
    for table, columns in added.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}")
