"""What running the catalogue takes: who waits with uploads, and which runs have nothing left to let go of."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
# The indexes are for letting go of uploads: each is looked for where it may be in use.
UPLOADS = """
ALTER TABLE uploads ADD COLUMN IF NOT EXISTS organisation_id TEXT NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS uploads_age ON uploads (create_time);
CREATE INDEX IF NOT EXISTS uploads_organisation ON uploads (organisation_id, create_time)
    WHERE organisation_id <> '';
CREATE INDEX IF NOT EXISTS feed_runs_upload ON feed_runs (upload_id) WHERE upload_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS organisations_logo ON organisations (logo_id) WHERE logo_id IS NOT NULL;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS details_kept BOOLEAN NOT NULL DEFAULT true;
CREATE INDEX IF NOT EXISTS feed_runs_detailed ON feed_runs (state_time) WHERE details_kept;
"""

ACCREDITATIONS = """
ALTER TABLE accreditations ADD COLUMN IF NOT EXISTS scope JSONB NOT NULL DEFAULT '{}';
ALTER TABLE accreditations ADD COLUMN IF NOT EXISTS evidence TEXT[] NOT NULL DEFAULT '{}';
ALTER TABLE organisations ADD COLUMN IF NOT EXISTS tell_after UUID;
CREATE INDEX IF NOT EXISTS organisations_to_tell ON organisations (id) WHERE tell_after IS NOT NULL;
"""

CLOSED = """
ALTER TABLE organisations ADD COLUMN IF NOT EXISTS close_time TIMESTAMP WITH TIME ZONE;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS close_time TIMESTAMP WITH TIME ZONE;
ALTER TABLE sources ADD COLUMN IF NOT EXISTS removing BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX IF NOT EXISTS sources_removing ON sources (id) WHERE removing;
"""

FORMER = """
CREATE TABLE IF NOT EXISTS observation_former (
    undo_id UUID NOT NULL REFERENCES operations (id),
    occupation TEXT COLLATE "C" NOT NULL,
    nuts_code TEXT COLLATE "C" NOT NULL,
    first_day DATE NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    measure SMALLINT NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    last_day DATE NOT NULL,
    isco_code TEXT NOT NULL,
    taxonomy_version TEXT NOT NULL,
    value DOUBLE PRECISION,
    unit TEXT NOT NULL,
    status SMALLINT NOT NULL,
    hidden SMALLINT NOT NULL,
    import_id UUID NOT NULL,
    import_time TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (undo_id, occupation, nuts_code, first_day, period, measure, source_id)
);
CREATE INDEX IF NOT EXISTS observation_former_source ON observation_former (source_id);
"""


def upgrade() -> None:
    op.execute(UPLOADS)
    op.execute(ACCREDITATIONS)
    op.execute(CLOSED)
    op.execute(FORMER)
