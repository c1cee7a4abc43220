"""What feed runs do to courses, who asked for them, which were rolled back; what follows from courses."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
RUNS = """
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS rolls_back_to uuid REFERENCES feed_runs;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS rolled_back_by uuid REFERENCES feed_runs;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS requested_by text NOT NULL DEFAULT '';
"""

CHANGES = """
CREATE TABLE feed_changes (
    run_id UUID NOT NULL REFERENCES feed_runs (id),
    seq INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    course_id UUID NOT NULL,
    external_id TEXT NOT NULL,
    titles JSONB NOT NULL,
    fields TEXT[] NOT NULL,
    PRIMARY KEY (run_id, seq)
);
"""

LINKS = """
ALTER TABLE sources ADD COLUMN IF NOT EXISTS precedence integer NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS field_precedence jsonb NOT NULL DEFAULT '{}';
ALTER TABLE courses ADD COLUMN IF NOT EXISTS same_as uuid;
CREATE INDEX IF NOT EXISTS courses_same_as ON courses (same_as) WHERE same_as IS NOT NULL;
CREATE TABLE course_features (
    course_id UUID PRIMARY KEY,
    source_id UUID NOT NULL,
    titles TEXT[] NOT NULL,
    places TEXT[] NOT NULL,
    starts TEXT[] NOT NULL,
    provider TEXT NOT NULL,
    keys INTEGER[] NOT NULL,
    rule_version SMALLINT NOT NULL
);
CREATE INDEX course_features_keys ON course_features USING gin (keys);
CREATE TABLE course_links (
    id UUID PRIMARY KEY,
    low UUID NOT NULL,
    high UUID NOT NULL,
    score REAL NOT NULL,
    rule_version SMALLINT NOT NULL,
    verdict SMALLINT DEFAULT 0 NOT NULL,
    decided_by TEXT DEFAULT '' NOT NULL,
    decide_time TIMESTAMP WITH TIME ZONE,
    CONSTRAINT course_link_of_two UNIQUE (low, high),
    CONSTRAINT course_link_in_order CHECK (low < high),
    CONSTRAINT course_link_decided_by_somebody CHECK ((verdict = 0) = (decided_by = ''))
);
CREATE INDEX course_links_high ON course_links (high);
CREATE INDEX course_links_verdict ON course_links (verdict, score DESC, id DESC);
CREATE TABLE course_completeness (
    course_id UUID PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    score SMALLINT NOT NULL,
    lacks JSONB NOT NULL,
    rule_version SMALLINT NOT NULL
);
CREATE INDEX course_completeness_score ON course_completeness (score, course_id);
CREATE INDEX course_completeness_organisation ON course_completeness (organisation_id, score, course_id);
CREATE TABLE course_followers (
    name TEXT PRIMARY KEY,
    token TEXT NOT NULL
);
"""


def upgrade() -> None:
    op.execute(RUNS)
    op.execute(CHANGES)
    op.execute(LINKS)
