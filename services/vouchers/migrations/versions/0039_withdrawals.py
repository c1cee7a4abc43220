"""Applications that wait for a draw can be withdrawn, and appeals can be taken back."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

WITHDRAWALS = """
ALTER TABLE applications
  ADD COLUMN left_draw BOOLEAN DEFAULT false NOT NULL,
  DROP CONSTRAINT applications_appeal_decided_by_someone,
  ADD CONSTRAINT applications_appeal_decided_by_someone CHECK (
    appeal_outcome = 0 OR (appeal_outcome = 3 AND appealed_at IS NOT NULL)
    OR (appealed_at IS NOT NULL AND appeal_decided_by <> ''));
"""


def upgrade() -> None:
    op.execute(WITHDRAWALS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
