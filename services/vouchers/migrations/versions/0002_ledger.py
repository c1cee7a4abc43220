"""Append-only ledger and 256 chains for the euro."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Even the owner of the tables cannot change or delete what is in the ledger; a correction is a reversal.
APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entries, ledger_checkpoints FROM PUBLIC, CURRENT_USER;
"""
CHAINS = """
INSERT INTO ledger_heads (shard, currency, sequence, hash)
SELECT shard, 'EUR', 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 255) AS shard;
"""


def upgrade() -> None:
    op.execute(APPEND_ONLY)
    op.execute(CHAINS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
