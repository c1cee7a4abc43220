"""What happens to a batch after its approval: handed to the bank, and the bank's word on each payment."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Batches approved before keep that state; the moment of their freezing is not known.
LIFE = """
ALTER TABLE payout_batches ADD COLUMN frozen_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN sent_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN sent_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN settled_at TIMESTAMP WITH TIME ZONE,
  ADD CONSTRAINT payout_batches_frozen_by_someone CHECK (state < 2 OR frozen_by <> ''),
  ADD CONSTRAINT payout_batches_sent_by_someone CHECK (state < 4 OR (sent_by <> '' AND sent_at IS NOT NULL));
ALTER TABLE payouts ADD COLUMN result SMALLINT DEFAULT 0 NOT NULL,
  ADD COLUMN return_code TEXT DEFAULT '' NOT NULL,
  ADD COLUMN result_at TIMESTAMP WITH TIME ZONE,
  ADD CONSTRAINT payouts_result CHECK (result IN (0, 5, 6));
CREATE UNIQUE INDEX payouts_end_to_end_id ON payouts (end_to_end_id);
"""


def upgrade() -> None:
    op.execute(LIFE)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
