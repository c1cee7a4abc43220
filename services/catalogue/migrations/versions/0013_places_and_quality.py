"""Tables of places; holds on courses and organisations; what learners say of courses."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PLACES = """
CREATE TABLE place_versions (
    country TEXT NOT NULL,
    version TEXT NOT NULL,
    place_count INTEGER NOT NULL,
    import_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (country, version)
);
CREATE INDEX place_versions_newest ON place_versions (import_time, country, version);
CREATE TABLE places (
    country TEXT NOT NULL,
    version TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    latitude DOUBLE PRECISION NOT NULL,
    longitude DOUBLE PRECISION NOT NULL
);
CREATE INDEX places_key ON places (key, country, version);
"""

HOLDS = """
CREATE TABLE quality_holds (
    id UUID PRIMARY KEY,
    subject TEXT NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    reason SMALLINT NOT NULL,
    placed_by TEXT NOT NULL,
    outcome SMALLINT DEFAULT 0 NOT NULL,
    lifted_by TEXT,
    create_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    lift_time TIMESTAMP WITH TIME ZONE,
    CONSTRAINT quality_hold_second_person CHECK (lifted_by <> placed_by),
    CONSTRAINT quality_hold_lifted_by_somebody
        CHECK ((lifted_by IS NULL) = (outcome = 0) AND (lift_time IS NULL) = (outcome = 0))
);
CREATE UNIQUE INDEX quality_holds_open ON quality_holds (subject) WHERE lift_time IS NULL;
CREATE INDEX quality_holds_organisation ON quality_holds (organisation_id, id);
"""

FEEDBACK = """
CREATE TABLE course_completions (
    course_id UUID NOT NULL,
    learner TEXT NOT NULL,
    PRIMARY KEY (course_id, learner)
);
CREATE TABLE course_feedback (
    id UUID PRIMARY KEY,
    course_id UUID NOT NULL REFERENCES courses (id),
    author TEXT NOT NULL,
    rating SMALLINT NOT NULL,
    comment TEXT NOT NULL,
    answer TEXT DEFAULT '' NOT NULL,
    state SMALLINT DEFAULT 1 NOT NULL,
    fault SMALLINT DEFAULT 0 NOT NULL,
    hidden_by TEXT,
    decided_by TEXT,
    create_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    answer_time TIMESTAMP WITH TIME ZONE,
    CONSTRAINT course_feedback_rating CHECK (rating BETWEEN 1 AND 5),
    CONSTRAINT course_feedback_second_person CHECK (decided_by <> hidden_by),
    CONSTRAINT course_feedback_hidden_by_somebody CHECK ((state IN (3, 4)) <= (hidden_by IS NOT NULL))
);
CREATE UNIQUE INDEX course_feedback_author ON course_feedback (course_id, author);
CREATE INDEX course_feedback_course ON course_feedback (course_id, id);
CREATE INDEX course_feedback_queue ON course_feedback (id) WHERE state IN (2, 4);
"""
# IF NOT EXISTS: the first migrations make these tables as they are today.
BENEFICIARIES = (
    "ALTER TABLE agreement_reviews ADD COLUMN IF NOT EXISTS beneficiaries JSONB DEFAULT '{}' NOT NULL"
)

DERIVED = "ALTER TABLE sites ADD COLUMN IF NOT EXISTS location_derived BOOLEAN DEFAULT false NOT NULL"


def upgrade() -> None:
    op.execute(PLACES)
    op.execute(HOLDS)
    op.execute(FEEDBACK)
    op.execute(BENEFICIARIES)
    op.execute(DERIVED)
