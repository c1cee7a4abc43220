"""Signatures of published versions of shortage lists; rows whose occupation a person decides."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SIGNATURES = """
CREATE TABLE shortage_signatures (
    list_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    root BYTEA NOT NULL,
    key_id TEXT NOT NULL,
    signature BYTEA NOT NULL,
    sign_time TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (list_id, number),
    FOREIGN KEY (list_id, number) REFERENCES shortage_versions (list_id, number)
);
CREATE FUNCTION shortage_signature_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a signature of a shortage-list version never changes' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON shortage_signatures
  FOR EACH ROW EXECUTE FUNCTION shortage_signature_frozen();
"""

# IF NOT EXISTS: the first migration makes the tables as they are today.
MATCHES = """
ALTER TABLE shortage_versions ADD COLUMN IF NOT EXISTS revision bigint NOT NULL DEFAULT 1;
CREATE TABLE shortage_matches (
    list_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    line INTEGER NOT NULL,
    label TEXT NOT NULL,
    normal TEXT NOT NULL,
    uri TEXT NOT NULL,
    isco_code TEXT NOT NULL,
    nuts_code TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    cause SMALLINT NOT NULL,
    candidates TEXT[] NOT NULL,
    state SMALLINT DEFAULT 1 NOT NULL,
    decided_by TEXT,
    decide_time TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (list_id, number, line),
    FOREIGN KEY (list_id, number) REFERENCES shortage_versions (list_id, number),
    CONSTRAINT shortage_match_decided_by_somebody CHECK ((state = 1) = (decided_by IS NULL))
);
"""


def upgrade() -> None:
    op.execute(SIGNATURES)
    op.execute(MATCHES)
