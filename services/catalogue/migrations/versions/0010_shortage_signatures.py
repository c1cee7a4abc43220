"""Signatures of published versions of shortage lists, which stay as they are."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0004"
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


def upgrade() -> None:
    op.execute(SIGNATURES)
