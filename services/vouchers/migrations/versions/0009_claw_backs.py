"""Accepted money taken back: receivables, what batches set off against them, write-offs by two people."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CLAW_BACKS = """
ALTER TABLE ledger_heads ADD COLUMN kind_8 BIGINT DEFAULT '0' NOT NULL,
  ADD COLUMN kind_9 BIGINT DEFAULT '0' NOT NULL;
ALTER TABLE redemptions ADD COLUMN clawed_cents BIGINT DEFAULT '0' NOT NULL,
  DROP CONSTRAINT redemptions_not_negative,
  ADD CONSTRAINT redemptions_not_negative CHECK (accepted_cents >= 0 AND held_cents >= 0
    AND cleared_cents >= 0 AND paid_cents >= 0 AND clawed_cents >= 0),
  ADD CONSTRAINT redemptions_clawed_within_accepted CHECK (clawed_cents <= accepted_cents);
ALTER TABLE payouts ADD COLUMN set_off_cents BIGINT DEFAULT '0' NOT NULL,
  DROP CONSTRAINT payouts_some_amount,
  ADD CONSTRAINT payouts_some_amount
    CHECK (amount_cents >= 0 AND set_off_cents >= 0 AND amount_cents + set_off_cents > 0);
CREATE TABLE receivables (
    id UUID NOT NULL,
    redemption_id UUID NOT NULL REFERENCES redemptions (id),
    organisation TEXT NOT NULL,
    currency TEXT NOT NULL,
    shard SMALLINT NOT NULL,
    amount_cents BIGINT DEFAULT '0' NOT NULL,
    reserved_cents BIGINT DEFAULT '0' NOT NULL,
    set_off_cents BIGINT DEFAULT '0' NOT NULL,
    written_off_cents BIGINT DEFAULT '0' NOT NULL,
    created_by TEXT NOT NULL,
    write_off_by TEXT DEFAULT '' NOT NULL,
    sealed_reason BYTEA,
    written_off_by TEXT DEFAULT '' NOT NULL,
    written_off_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT receivables_not_negative
      CHECK (reserved_cents >= 0 AND set_off_cents >= 0 AND written_off_cents >= 0),
    CONSTRAINT receivables_within_amount
      CHECK (reserved_cents + set_off_cents + written_off_cents <= amount_cents),
    CONSTRAINT receivables_maker_checker CHECK (written_off_by <> write_off_by OR written_off_by = ''),
    CONSTRAINT receivables_written_off_by_someone
      CHECK (written_off_cents = 0 OR (written_off_by <> '' AND write_off_by <> ''))
);
CREATE INDEX receivables_organisation ON receivables (organisation, id);
CREATE TABLE set_offs (
    batch_id UUID NOT NULL REFERENCES payout_batches (id),
    receivable_id UUID NOT NULL REFERENCES receivables (id),
    organisation TEXT NOT NULL,
    cents BIGINT DEFAULT '0' NOT NULL,
    PRIMARY KEY (batch_id, receivable_id),
    CONSTRAINT set_offs_some_amount CHECK (cents > 0)
);
"""


def upgrade() -> None:
    op.execute(CLAW_BACKS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
