"""Labour-market information: figures of sources, what takes them in, and officers' assessments."""

from __future__ import annotations

from alembic import op

from services.platform.operations.table import create_operations_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OBSERVATIONS = """
CREATE TABLE observation_sources (
    id TEXT PRIMARY KEY,
    publisher TEXT NOT NULL,
    method TEXT NOT NULL,
    coverage TEXT NOT NULL,
    biased BOOLEAN NOT NULL,
    bias TEXT NOT NULL,
    licence TEXT NOT NULL,
    suppress_below INTEGER NOT NULL,
    create_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT observation_source_bias CHECK (NOT biased OR bias <> '')
);
CREATE TABLE observations (
    occupation TEXT COLLATE "C" NOT NULL,
    nuts_code TEXT COLLATE "C" NOT NULL,
    first_day DATE NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    measure SMALLINT NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL REFERENCES observation_sources (id),
    last_day DATE NOT NULL,
    isco_code TEXT NOT NULL,
    taxonomy_version TEXT NOT NULL,
    value DOUBLE PRECISION,
    unit TEXT NOT NULL,
    status SMALLINT NOT NULL,
    hidden SMALLINT NOT NULL,
    import_id UUID NOT NULL REFERENCES operations (id),
    import_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (occupation, nuts_code, first_day, period, measure, source_id),
    CONSTRAINT observation_hidden_is_not_kept CHECK ((hidden = 0) = (value IS NOT NULL))
);
CREATE INDEX observations_slice ON observations (source_id, measure, first_day);
CREATE INDEX observations_region
    ON observations (nuts_code, occupation, first_day, period, measure, source_id);
CREATE TABLE observation_staged (
    import_id UUID NOT NULL REFERENCES operations (id),
    measure SMALLINT NOT NULL,
    first_day DATE NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    occupation TEXT COLLATE "C" NOT NULL,
    nuts_code TEXT COLLATE "C" NOT NULL,
    last_day DATE NOT NULL,
    isco_code TEXT NOT NULL,
    taxonomy_version TEXT NOT NULL,
    value DOUBLE PRECISION,
    unit TEXT NOT NULL,
    status SMALLINT NOT NULL,
    hidden SMALLINT NOT NULL,
    line INTEGER NOT NULL,
    PRIMARY KEY (import_id, measure, first_day, period, occupation, nuts_code)
);
CREATE TABLE observation_findings (
    import_id UUID NOT NULL REFERENCES operations (id),
    seq BIGINT NOT NULL,
    code TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    record TEXT NOT NULL,
    line INTEGER NOT NULL,
    path TEXT NOT NULL,
    value TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    PRIMARY KEY (import_id, seq)
);
"""

ASSESSMENTS = """
CREATE TABLE assessments (
    id UUID PRIMARY KEY,
    occupation TEXT NOT NULL,
    isco_code TEXT NOT NULL,
    nuts_code TEXT COLLATE "C" NOT NULL,
    severity SMALLINT NOT NULL,
    cause SMALLINT NOT NULL,
    evidence TEXT NOT NULL,
    state SMALLINT DEFAULT 1 NOT NULL,
    entered_by TEXT NOT NULL,
    verified_by TEXT,
    create_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    verify_time TIMESTAMP WITH TIME ZONE,
    CONSTRAINT assessment_second_person CHECK (verified_by <> entered_by),
    CONSTRAINT assessment_verified_by_somebody CHECK ((state = 1) = (verified_by IS NULL)),
    CONSTRAINT assessment_severity CHECK (severity BETWEEN 0 AND 5)
);
CREATE UNIQUE INDEX assessments_current ON assessments (occupation, nuts_code) WHERE state = 2;
CREATE INDEX assessments_area ON assessments (nuts_code) WHERE state = 2;
CREATE INDEX assessments_occupation ON assessments (occupation, id);
CREATE TABLE attestations (
    assessment_id UUID NOT NULL REFERENCES assessments (id),
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    verdict SMALLINT NOT NULL,
    explanation TEXT NOT NULL,
    create_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (assessment_id, organisation_id)
);
CREATE TABLE sector_councils (
    organisation_id TEXT PRIMARY KEY REFERENCES organisations (id),
    isco_codes TEXT[] NOT NULL
);
"""

CHANGES = """
CREATE TABLE market_changes (
    xid BIGINT DEFAULT pg_current_xact_id()::text::bigint NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind SMALLINT NOT NULL,
    resource TEXT NOT NULL,
    subject TEXT NOT NULL,
    nuts_code TEXT NOT NULL,
    create_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (xid, id)
);
"""


def upgrade() -> None:
    create_operations_table(op)
    op.execute(OBSERVATIONS)
    op.execute(ASSESSMENTS)
    op.execute(CHANGES)
    # IF NOT EXISTS: the first migration makes the tables as they are today.
    op.execute("CREATE INDEX IF NOT EXISTS shortage_entries_uri ON shortage_entries (uri) WHERE uri <> ''")
