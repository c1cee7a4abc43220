"""Published versions of shortage lists, packed as processes answer from them."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# A job packs what was published before.
PACKS = """
CREATE TABLE shortage_packs (
    list_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    packed BYTEA NOT NULL,
    PRIMARY KEY (list_id, number),
    FOREIGN KEY (list_id, number) REFERENCES shortage_versions (list_id, number)
);
CREATE FUNCTION shortage_pack_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a published shortage-list version never changes' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON shortage_packs
  FOR EACH ROW EXECUTE FUNCTION shortage_pack_frozen();
"""


def upgrade() -> None:
    op.execute(PACKS)
