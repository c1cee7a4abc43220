"""Snapshots of all courses, as of one moment."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SNAPSHOTS = """
CREATE TABLE course_snapshots (
    id UUID PRIMARY KEY,
    state SMALLINT NOT NULL,
    attempts SMALLINT DEFAULT 0 NOT NULL,
    course_count BIGINT DEFAULT 0 NOT NULL,
    change_token TEXT DEFAULT '' NOT NULL,
    parts JSONB DEFAULT '[]' NOT NULL,
    create_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    state_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
);
CREATE UNIQUE INDEX course_snapshots_open ON course_snapshots ((true)) WHERE state IN (1, 2);
"""


def upgrade() -> None:
    op.execute(SNAPSHOTS)
