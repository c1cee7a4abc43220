"""The sandbox: how many vouchers a provider had today, and batches that no bank is told of."""

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


def upgrade() -> None:
    op.execute(SANDBOX)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
