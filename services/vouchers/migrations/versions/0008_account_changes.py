"""A changed bank account waits 72 hours whatever the code does, and can be taken back until then."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Of accounts confirmed before, the one used first is the first; another of the same moment has to wait too.
CHANGES = """
ALTER TABLE bank_accounts ADD COLUMN confirmed_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN is_first BOOLEAN DEFAULT false NOT NULL,
  ADD COLUMN withdrawn_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN withdrawn_at TIMESTAMP WITH TIME ZONE;
UPDATE bank_accounts a SET is_first = true, confirmed_at = effective_at WHERE id = (
  SELECT id FROM bank_accounts b WHERE b.organisation = a.organisation AND b.state = 2
  ORDER BY effective_at, id LIMIT 1);
UPDATE bank_accounts SET confirmed_at = greatest(created_at, effective_at - interval '72 hours'),
  effective_at = greatest(effective_at, created_at + interval '72 hours') WHERE state = 2 AND NOT is_first;
ALTER TABLE bank_accounts DROP CONSTRAINT bank_accounts_confirmed_by_someone,
  ADD CONSTRAINT bank_accounts_confirmed_by_someone CHECK (state <> 2 OR confirmed_by <> ''),
  ADD CONSTRAINT bank_accounts_withdrawn_by_someone CHECK (state <> 3 OR withdrawn_by <> ''),
  ADD CONSTRAINT bank_accounts_change_waits CHECK (state <> 2 OR is_first OR coalesce(
    confirmed_at >= created_at AND effective_at >= confirmed_at + interval '72 hours', false));
CREATE UNIQUE INDEX bank_accounts_one_first ON bank_accounts (organisation) WHERE is_first;
"""


def upgrade() -> None:
    op.execute(CHANGES)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
