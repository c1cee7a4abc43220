"""What the bank reports about payments, and how much of a redemption has left for the bank."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# What was paid before was paid whole.
REPORTS = """
ALTER TABLE redemptions ADD COLUMN paid_cents BIGINT DEFAULT '0' NOT NULL;
UPDATE redemptions SET paid_cents = accepted_cents WHERE state = 7;
ALTER TABLE redemptions DROP CONSTRAINT redemptions_not_negative,
  DROP CONSTRAINT redemptions_owed_within_accepted,
  ADD CONSTRAINT redemptions_not_negative
    CHECK (accepted_cents >= 0 AND held_cents >= 0 AND cleared_cents >= 0 AND paid_cents >= 0),
  ADD CONSTRAINT redemptions_owed_within_accepted
    CHECK (held_cents + cleared_cents + paid_cents <= accepted_cents);
CREATE TABLE bank_reports (
    id UUID NOT NULL,
    format SMALLINT NOT NULL,
    message_id TEXT NOT NULL,
    page INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    bank_at TIMESTAMP WITH TIME ZONE NOT NULL,
    entry_count INTEGER NOT NULL,
    applied_count INTEGER DEFAULT '0' NOT NULL,
    open_count INTEGER DEFAULT '0' NOT NULL,
    imported_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (format, message_id, page)
);
CREATE TABLE bank_report_entries (
    report_id UUID NOT NULL REFERENCES bank_reports (id),
    number INTEGER NOT NULL,
    line INTEGER NOT NULL,
    end_to_end_id TEXT DEFAULT '' NOT NULL,
    bank_reference TEXT DEFAULT '' NOT NULL,
    verdict SMALLINT NOT NULL,
    code TEXT DEFAULT '' NOT NULL,
    amount_cents BIGINT,
    currency TEXT DEFAULT '' NOT NULL,
    outcome SMALLINT NOT NULL,
    batch_id UUID REFERENCES payout_batches (id),
    organisation TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (report_id, number)
);
"""


def upgrade() -> None:
    op.execute(REPORTS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
