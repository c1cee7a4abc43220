"""Ways back: what providers pay of their debts by themselves, a write-off that is proposed and not approved,
batches that were marked as sent by mistake, sanctions that two people lift,
payrolls that are corrected, funds that are returned."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

# A proposal from before stands while nobody has approved one.
PAID_BACK = """
ALTER TABLE receivables ADD COLUMN paid_cents BIGINT DEFAULT 0 NOT NULL,
  ADD COLUMN proposed_by TEXT DEFAULT '' NOT NULL,
  DROP CONSTRAINT receivables_not_negative,
  DROP CONSTRAINT receivables_within_amount,
  ADD CONSTRAINT receivables_not_negative CHECK (
    reserved_cents >= 0 AND set_off_cents >= 0 AND paid_cents >= 0 AND written_off_cents >= 0),
  ADD CONSTRAINT receivables_within_amount CHECK (
    reserved_cents + set_off_cents + paid_cents + written_off_cents <= amount_cents);
UPDATE receivables SET proposed_by = write_off_by, write_off_by = '' WHERE written_off_by = '';
CREATE TABLE receivable_payments (
    id UUID NOT NULL,
    receivable_id UUID NOT NULL,
    cents BIGINT NOT NULL,
    bank_reference TEXT DEFAULT '' NOT NULL,
    recorded_by TEXT NOT NULL,
    undone_by TEXT DEFAULT '' NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT receivable_payments_some_amount CHECK (cents > 0),
    CONSTRAINT receivable_payments_maker_checker CHECK (undone_by <> recorded_by),
    CONSTRAINT receivable_payments_undone_by_someone CHECK ((undone_by = '') = (undone_at IS NULL)),
    FOREIGN KEY(receivable_id) REFERENCES receivables (id)
);
CREATE INDEX receivable_payments_receivable ON receivable_payments (receivable_id, id);
"""
NOT_HANDED_IN = """
ALTER TABLE payout_batches DROP CONSTRAINT payout_batches_cancelled_before_the_bank,
  ADD CONSTRAINT payout_batches_cancelled_before_the_bank CHECK (
    state <> 7 OR (sent_at IS NULL AND file_read_at IS NULL)
      OR (file_retracted_by <> '' AND file_retracted_by <> cancelled_by))
"""
LIFTED = """
ALTER TABLE sanctions ADD COLUMN sealed_lift_reason BYTEA,
  ADD COLUMN lift_proposed_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN lifted_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN lifted_at TIMESTAMP WITH TIME ZONE,
  DROP CONSTRAINT sanctions_decided_by_someone,
  ADD CONSTRAINT sanctions_decided_by_someone CHECK (
    state < 4 OR decided_by <> '' OR (state = 5 AND lifted_by <> '')),
  ADD CONSTRAINT sanctions_lifted_by_another CHECK (
    lifted_by = '' OR (lift_proposed_by <> '' AND lifted_by <> lift_proposed_by))
"""
CORRECTED = """
CREATE TABLE levy_corrections (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    month DATE NOT NULL,
    gross_cents BIGINT NOT NULL,
    cents BIGINT NOT NULL,
    imported_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id, month) REFERENCES levy_contributions (account_id, month)
);
CREATE INDEX levy_corrections_month ON levy_corrections (account_id, month);
"""
RETURNED = """
CREATE TABLE fund_returns (
    id UUID NOT NULL,
    budget_id UUID NOT NULL,
    pot_id UUID NOT NULL,
    source_id TEXT NOT NULL,
    cents BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    sealed_reason BYTEA,
    proposed_by TEXT NOT NULL,
    decided_by TEXT DEFAULT '' NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT fund_returns_some_amount CHECK (cents > 0),
    CONSTRAINT fund_returns_maker_checker CHECK (state <> 2 OR decided_by <> proposed_by),
    CONSTRAINT fund_returns_decided_by_someone CHECK (
      state = 1 OR (decided_by <> '' AND decided_at IS NOT NULL)),
    FOREIGN KEY(budget_id) REFERENCES budgets (id),
    FOREIGN KEY(pot_id) REFERENCES pots (id),
    FOREIGN KEY(source_id) REFERENCES funding_sources (id)
);
CREATE INDEX fund_returns_budget ON fund_returns (budget_id, id);
"""


def upgrade() -> None:
    op.execute(PAID_BACK)
    op.execute(NOT_HANDED_IN)
    op.execute(LIFTED)
    op.execute(CORRECTED)
    op.execute(RETURNED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
