"""Versions of taxonomies side by side, links between concepts, and changes of the version in use."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
IN_USE = """
ALTER TABLE taxonomy_versions ADD COLUMN IF NOT EXISTS in_use_time timestamptz;
UPDATE taxonomy_versions SET in_use_time = import_time;
"""

CHANGES = """
CREATE TABLE concept_links (
    source_scheme TEXT NOT NULL,
    source_version TEXT NOT NULL,
    source_id TEXT NOT NULL,
    target_scheme TEXT NOT NULL,
    target_version TEXT NOT NULL,
    target_id TEXT NOT NULL,
    strength SMALLINT NOT NULL,
    PRIMARY KEY (source_scheme, source_version, source_id, target_scheme, target_version, target_id),
    FOREIGN KEY (source_scheme, source_version, source_id) REFERENCES concepts (scheme, version, id),
    FOREIGN KEY (target_scheme, target_version, target_id) REFERENCES concepts (scheme, version, id)
);
CREATE INDEX concept_links_target ON concept_links (target_scheme, target_version, target_id);
CREATE TABLE taxonomy_changes (
    id UUID PRIMARY KEY,
    scheme TEXT NOT NULL,
    from_version TEXT NOT NULL,
    to_version TEXT NOT NULL,
    state SMALLINT NOT NULL,
    counts JSONB DEFAULT '{}' NOT NULL,
    operation_id UUID REFERENCES operations (id),
    proposed_by TEXT NOT NULL,
    applied_by TEXT,
    create_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    apply_time TIMESTAMP WITH TIME ZONE,
    FOREIGN KEY (scheme, from_version) REFERENCES taxonomy_versions (scheme, version),
    FOREIGN KEY (scheme, to_version) REFERENCES taxonomy_versions (scheme, version),
    CONSTRAINT taxonomy_change_second_person CHECK (applied_by <> proposed_by)
);
CREATE TABLE taxonomy_change_items (
    change_id UUID NOT NULL REFERENCES taxonomy_changes (id),
    uri TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    label TEXT NOT NULL,
    targets TEXT[] NOT NULL,
    courses INTEGER NOT NULL,
    corrections INTEGER NOT NULL,
    shortage_entries INTEGER NOT NULL,
    observations INTEGER NOT NULL,
    PRIMARY KEY (change_id, uri)
);
CREATE TABLE taxonomy_change_courses (
    change_id UUID NOT NULL REFERENCES taxonomy_changes (id),
    course_id UUID NOT NULL REFERENCES courses (id),
    before JSONB NOT NULL,
    after JSONB NOT NULL,
    PRIMARY KEY (change_id, course_id)
);
"""


def upgrade() -> None:
    op.execute(IN_USE)
    op.execute(CHANGES)
