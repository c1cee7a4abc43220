"""What is counted behind statements, of providers by whose days and of levies by year; what providers pay
back by transfer, found by its reference."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

# By whose days it was counted so far nobody knows, so a job counts it anew, as it did at first.
ZONES = """
DELETE FROM provider_days;
DELETE FROM provider_months;
DELETE FROM turnover_marks;
ALTER TABLE turnover_marks ADD COLUMN zone TEXT NOT NULL;
"""
# Days were those of UTC until now.
LEVIES = """
ALTER TABLE levy_claims ADD COLUMN decided_on DATE;
UPDATE levy_claims SET decided_on = (decided_at AT TIME ZONE 'UTC')::date WHERE decided_at IS NOT NULL;
ALTER TABLE levy_claims DROP CONSTRAINT levy_claims_decided_by_someone;
ALTER TABLE levy_claims ADD CONSTRAINT levy_claims_decided_by_someone
  CHECK (state = 1 OR (decided_by <> '' AND decided_at IS NOT NULL AND decided_on IS NOT NULL));
ALTER TABLE levy_corrections ADD COLUMN corrected_on DATE;
UPDATE levy_corrections SET corrected_on = (created_at AT TIME ZONE 'UTC')::date;
ALTER TABLE levy_corrections ALTER COLUMN corrected_on SET NOT NULL;
CREATE INDEX levy_claims_approved ON levy_claims (account_id, decided_on) WHERE state = 2;
CREATE INDEX levy_corrections_day ON levy_corrections (account_id, corrected_on);
CREATE TABLE levy_turnover (
    account_id UUID NOT NULL REFERENCES levy_accounts (id),
    year SMALLINT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (account_id, year)
);
INSERT INTO levy_turnover SELECT account_id, date_part('year', day), sum(cents) FROM (
  SELECT account_id, month AS day, cents FROM levy_contributions
  UNION ALL SELECT account_id, decided_on, -amount_cents FROM levy_claims WHERE state = 2
  UNION ALL SELECT account_id, expired_on, -cents FROM levy_expiries
  UNION ALL SELECT account_id, corrected_on, cents FROM levy_corrections
) AS moved GROUP BY 1, 2;
"""
# A transfer names a receivable by the end of its id.
PAID_BACK = """
CREATE INDEX receivables_ending ON receivables ("right"(id::text, 12));
ALTER TABLE receivable_payments ADD COLUMN credit TEXT DEFAULT '' NOT NULL;
CREATE UNIQUE INDEX receivable_payments_credit ON receivable_payments (credit) WHERE credit <> '';
ALTER TABLE bank_report_entries
  ADD COLUMN creditor_reference TEXT DEFAULT '' NOT NULL,
  ADD COLUMN receivable_id UUID REFERENCES receivables (id),
  ADD COLUMN excess_cents BIGINT DEFAULT 0 NOT NULL;
"""


def upgrade() -> None:
    op.execute(ZONES)
    op.execute(LEVIES)
    op.execute(PAID_BACK)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
