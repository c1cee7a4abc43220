"""Batches are given up while the bank cannot have their file, for which its first reading is kept."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# Whether anybody has the file of a batch approved before is not known, so somebody may.
CANCELLED = """
ALTER TABLE payout_batches ADD COLUMN file_read_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN cancelled_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN cancelled_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN sealed_cancel_reason BYTEA,
  DROP CONSTRAINT payout_batches_frozen_by_someone,
  DROP CONSTRAINT payout_batches_approved_by_someone,
  DROP CONSTRAINT payout_batches_sent_by_someone,
  ADD CONSTRAINT payout_batches_frozen_by_someone CHECK (state IN (1, 7) OR frozen_by <> ''),
  ADD CONSTRAINT payout_batches_approved_by_someone CHECK (state IN (1, 2, 7) OR approved_by <> ''),
  ADD CONSTRAINT payout_batches_sent_by_someone CHECK (
    state IN (1, 2, 3, 7) OR (sent_by <> '' AND sent_at IS NOT NULL)),
  ADD CONSTRAINT payout_batches_cancelled_by_someone CHECK (
    state <> 7 OR (cancelled_by <> '' AND cancelled_at IS NOT NULL)),
  ADD CONSTRAINT payout_batches_cancelled_before_the_bank CHECK (
    state <> 7 OR (file_read_at IS NULL AND sent_at IS NULL));
UPDATE payout_batches SET file_read_at = approved_at WHERE state >= 3;
"""


def upgrade() -> None:
    op.execute(CANCELLED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
