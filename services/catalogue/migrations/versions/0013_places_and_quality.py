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
    longitude DOUBLE PRECISION NOT NULL,
    FOREIGN KEY (country, version) REFERENCES place_versions (country, version),
    CONSTRAINT place_told_once UNIQUE (key, kind, country, version, latitude, longitude)
);
"""


def upgrade() -> None:
    op.execute(PLACES)
