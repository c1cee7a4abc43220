"""Feeds that are fetched or pushed, and reports of their runs."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
SOURCES = """
ALTER TABLE sources ADD COLUMN IF NOT EXISTS pull_url text NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS pull_schedule jsonb;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS pull_credentials bytea;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS pull_next_time timestamptz;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS pull_last_time timestamptz;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS pull_etag text NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS pull_modified text NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS pull_run uuid;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS report_url text NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS report_secret bytea;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS report_former bytea;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS report_former_until timestamptz;
ALTER TABLE sources DROP CONSTRAINT IF EXISTS source_pulled_at_times;
ALTER TABLE sources ADD CONSTRAINT source_pulled_at_times CHECK ((pull_url = '') = (pull_next_time IS NULL));
CREATE INDEX IF NOT EXISTS sources_due ON sources (pull_next_time) WHERE pull_next_time IS NOT NULL;
"""
RUNS = """
ALTER TABLE feed_runs ALTER COLUMN upload_id DROP NOT NULL;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS way smallint NOT NULL DEFAULT 1;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS report_state smallint NOT NULL DEFAULT 0;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS report_attempts integer NOT NULL DEFAULT 0;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS report_error text NOT NULL DEFAULT '';
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS report_next_time timestamptz;
DROP INDEX IF EXISTS feed_runs_active;
CREATE UNIQUE INDEX feed_runs_active ON feed_runs (source_id) WHERE state IN (1, 2, 3, 8);
CREATE INDEX IF NOT EXISTS feed_reports_due ON feed_runs (report_next_time) WHERE report_state = 1;
"""
PUSHED = """
CREATE TABLE feed_pushed (
    run_id UUID NOT NULL REFERENCES feed_runs (id),
    first BIGINT NOT NULL,
    course_count INTEGER NOT NULL,
    lines BYTEA NOT NULL,
    PRIMARY KEY (run_id, first)
);
"""


def upgrade() -> None:
    op.execute(SOURCES)
    op.execute(RUNS)
    op.execute(PUSHED)
