"""One signed checkpoint for all chains: rounds, each of which covers the one before."""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# Checkpoints of single chains stay where they are, and are verified as ever.
ROUNDS = """
CREATE TABLE ledger_rounds (
    number BIGINT NOT NULL,
    previous BYTEA NOT NULL,
    shards SMALLINT[] NOT NULL,
    sequences BIGINT[] NOT NULL,
    hashes BYTEA[] NOT NULL,
    key_id TEXT NOT NULL,
    signature BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (number)
);
CREATE TRIGGER ledger_rounds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_rounds
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_rounds FROM PUBLIC, CURRENT_USER;
"""


def upgrade() -> None:
    op.execute(ROUNDS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
