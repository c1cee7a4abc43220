"""The sandbox, with batches that no bank is told of; debts of employers that are given up; payables."""

from alembic import op

revision = "0020"
down_revision = "0019"
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
# A claim that was approved before stays what it is: paid outside of Waymark, in bank clearing.
PAYABLES = """
ALTER TABLE payout_batches ADD COLUMN kind SMALLINT DEFAULT '1' NOT NULL;
ALTER TABLE obligation_trainees ADD COLUMN provider TEXT DEFAULT '' NOT NULL;
CREATE TABLE payables (
    id UUID NOT NULL,
    subject TEXT NOT NULL UNIQUE,
    organisation TEXT NOT NULL,
    currency TEXT NOT NULL,
    shard SMALLINT NOT NULL,
    cents BIGINT NOT NULL,
    state SMALLINT DEFAULT '1' NOT NULL,
    batch_id UUID REFERENCES payout_batches (id),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT payables_some_amount CHECK (cents > 0),
    CONSTRAINT payables_wait_in_no_batch CHECK ((state = 1) = (batch_id IS NULL))
);
CREATE INDEX payables_waiting ON payables (currency, id) WHERE state = 1;
CREATE INDEX payables_organisation ON payables (organisation, id);
CREATE INDEX payables_batch ON payables (batch_id) WHERE batch_id IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(SANDBOX)
    op.execute(DEBTS)
    op.execute(PAYABLES)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
