"""Appeals of partners, why a complaint was decided so, how far a run has come, and how large feeds may be."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
DECIDED = """
ALTER TABLE course_complaints ADD COLUMN IF NOT EXISTS decision_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE accreditations ADD COLUMN IF NOT EXISTS withdrawn_by TEXT NOT NULL DEFAULT '';
"""

APPEALS = """
CREATE TABLE IF NOT EXISTS appeals (
    id UUID PRIMARY KEY,
    subject TEXT NOT NULL,
    organisation_id TEXT REFERENCES organisations (id),
    reason TEXT NOT NULL,
    filed_by TEXT NOT NULL,
    against TEXT NOT NULL,
    decided_by TEXT,
    state SMALLINT NOT NULL DEFAULT '1',
    finding TEXT NOT NULL DEFAULT '',
    create_time TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    decide_time TIMESTAMP WITH TIME ZONE,
    CONSTRAINT appeal_second_person CHECK (decided_by <> against AND decided_by <> filed_by),
    CONSTRAINT appeal_decided_by_somebody CHECK ((state = 1) = (decided_by IS NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS appeals_once ON appeals (subject) WHERE state <> 2;
CREATE INDEX IF NOT EXISTS appeals_organisation ON appeals (organisation_id, id);
CREATE INDEX IF NOT EXISTS appeals_state ON appeals (state, id);
"""


PROGRESS = """
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS read_count BIGINT NOT NULL DEFAULT '0';
ALTER TABLE sources ADD COLUMN IF NOT EXISTS max_feed_mib INTEGER NOT NULL DEFAULT '512';
ALTER TABLE sources DROP CONSTRAINT IF EXISTS source_max_feed;
ALTER TABLE sources ADD CONSTRAINT source_max_feed CHECK (max_feed_mib BETWEEN 1 AND 10240);
"""


def upgrade() -> None:
    op.execute(DECIDED)
    op.execute(APPEALS)
    op.execute(PROGRESS)
