"""Repayments to investors leave by the bank; a page of replays is read in the order of an index."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Applications of one transaction share their time, so time alone is no order.
REPLAYS = """
DROP INDEX applications_programme;
CREATE INDEX applications_programme ON applications (programme_id, created_at, id);
"""
# What investors were repaid before counts as it did: no payable, no word of a bank.
REPAYMENTS = """
ALTER TABLE payables
  ADD COLUMN source_id TEXT REFERENCES funding_sources (id),
  ADD CONSTRAINT payables_investors_are_repaid CHECK (state <> 4 OR source_id IS NOT NULL);
"""


def upgrade() -> None:
    op.execute(REPLAYS)
    op.execute(REPAYMENTS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
