"""A batch whose file was fetched is given up by two people: one says that the bank has it not."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

RETRACTED = """
ALTER TABLE payout_batches ADD COLUMN file_retracted_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN file_retracted_at TIMESTAMP WITH TIME ZONE,
  DROP CONSTRAINT payout_batches_cancelled_before_the_bank,
  ADD CONSTRAINT payout_batches_cancelled_before_the_bank CHECK (
    state <> 7 OR (sent_at IS NULL AND (file_read_at IS NULL
      OR (file_retracted_by <> '' AND file_retracted_by <> cancelled_by))))
"""


def upgrade() -> None:
    op.execute(RETRACTED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
