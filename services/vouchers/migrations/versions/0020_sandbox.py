"""The sandbox, with batches that no bank is told of; employers' debts that are given up."""

from alembic import op

revision = "0020"
down_revision = "0016"
branch_labels = None
depends_on = None

SANDBOX = """
CREATE TABLE sandbox_days (
    organisation TEXT NOT NULL,
    day DATE NOT NULL,
    issued INTEGER NOT NULL,
    PRIMARY KEY (organisation)
);
CREATE INDEX redemptions_sandbox ON redemptions (organisation, id) WHERE currency = 'XTS';
ALTER TABLE payout_batches ADD CONSTRAINT payout_batches_sandbox_from_no_account
  CHECK ((currency = 'XTS') = (debtor_iban = ''));
ALTER TABLE payment_shares ADD CONSTRAINT payment_shares_real_money CHECK (currency <> 'XTS');
ALTER TABLE acceptances ADD CONSTRAINT acceptances_real_money CHECK (currency <> 'XTS');
"""
DEBTS = """
ALTER TABLE employer_obligations
  ADD COLUMN written_off_cents BIGINT DEFAULT '0' NOT NULL,
  ADD COLUMN write_off_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN sealed_reason BYTEA,
  ADD COLUMN written_off_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN written_off_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN version INTEGER DEFAULT '1' NOT NULL,
  DROP CONSTRAINT employer_obligations_paid_within_owed,
  ADD CONSTRAINT employer_obligations_not_negative CHECK (paid_cents >= 0 AND written_off_cents >= 0),
  ADD CONSTRAINT employer_obligations_within_owed CHECK (paid_cents + written_off_cents <= owed_cents),
  ADD CONSTRAINT employer_obligations_maker_checker
    CHECK (written_off_by <> write_off_by OR written_off_by = ''),
  ADD CONSTRAINT employer_obligations_written_off_by_someone
    CHECK (written_off_cents = 0 OR (written_off_by <> '' AND write_off_by <> ''));
"""


def upgrade() -> None:
    op.execute(SANDBOX)
    op.execute(DEBTS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
