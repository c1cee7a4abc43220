"""Who bears each payment, with what was paid before shared out to the source of its pot."""

from alembic import op

revision = "0015"
down_revision = "0010"
branch_labels = None
depends_on = None

SHARES = """
CREATE TABLE payment_shares (
    id UUID NOT NULL,
    transaction UUID NOT NULL,
    movement SMALLINT NOT NULL,
    redemption_id UUID NOT NULL REFERENCES redemptions (id),
    voucher_id UUID NOT NULL,
    programme_id TEXT NOT NULL,
    version_number INTEGER NOT NULL,
    batch_id UUID,
    funding_source_id TEXT NOT NULL REFERENCES funding_sources (id),
    cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (transaction, movement, redemption_id, funding_source_id)
);
CREATE INDEX payment_shares_source ON payment_shares (funding_source_id, created_at, id);
CREATE INDEX payment_shares_redemption ON payment_shares (redemption_id);
CREATE INDEX payment_shares_batch ON payment_shares (batch_id);
CREATE INDEX payment_shares_programme ON payment_shares (programme_id, created_at);
CREATE INDEX payment_shares_created ON payment_shares (created_at, id);
CREATE TABLE payment_totals (voucher_id UUID NOT NULL PRIMARY KEY, cents BIGINT NOT NULL);
"""
# Append-only, as the ledger (0002). A payout takes from cleared what it pays and sets off; what is set off
# comes back for the redemption of the receivable. What was set off whole names no batch in the ledger.
BEFORE = """
CREATE TRIGGER payment_shares_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_shares
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON payment_shares FROM PUBLIC, CURRENT_USER;
INSERT INTO payment_shares (id, transaction, movement, redemption_id, voucher_id, programme_id,
  version_number, batch_id, funding_source_id, cents, currency, created_at)
SELECT gen_random_uuid(), m.transaction, m.movement, r.id, r.voucher_id, r.programme_id, r.version_number,
  coalesce(b.batch_id, payer.batch_id), p.funding_source_id, m.cents, m.currency, m.created_at
FROM (
  SELECT e.transaction, CASE e.operation WHEN 'payout' THEN 1 ELSE 2 END AS movement, e.reference,
    e.reference AS redemption, -e.cents AS cents, e.currency, e.created_at
  FROM ledger_entries e WHERE e.kind = 6 AND e.operation IN ('payout', 'return')
  UNION ALL
  SELECT e.transaction, 3, e.reference, 'redemptions/' || x.redemption_id, -sum(e.cents), e.currency,
    e.created_at
  FROM ledger_entries e JOIN receivables x ON 'receivables/' || x.id = e.owner
  WHERE e.kind = 8 AND e.operation = 'payout'
  GROUP BY e.transaction, e.reference, x.redemption_id, e.currency, e.created_at
) AS m
LEFT JOIN LATERAL (
  SELECT CAST(split_part(max(k.owner), '/', 2) AS uuid) AS batch_id FROM ledger_entries k
  WHERE k.reference = m.reference AND k.transaction = m.transaction AND k.kind = 7
) AS b ON TRUE
JOIN redemptions r ON 'redemptions/' || r.id = m.redemption
JOIN redemptions payer ON 'redemptions/' || payer.id = m.reference
JOIN vouchers v ON v.id = r.voucher_id JOIN pots p ON p.id = v.pot_id;
INSERT INTO payment_totals (voucher_id, cents)
SELECT voucher_id, sum(cents) FROM payment_shares GROUP BY voucher_id;
"""
# What reports ask by time. Rows come in the order of time, so a BRIN does as well and hardly costs a write.
REPORTS = """
CREATE INDEX ledger_entries_claw_backs ON ledger_entries (created_at) WHERE operation = 'clawback';
CREATE INDEX vouchers_created ON vouchers USING brin (created_at);
CREATE INDEX redemptions_accepted ON redemptions USING brin (accepted_at);
CREATE INDEX redemptions_created ON redemptions USING brin (created_at);
CREATE INDEX applications_created ON applications USING brin (created_at);
CREATE INDEX applications_decided_at ON applications USING brin (decided_at);
"""


def upgrade() -> None:
    op.execute(SHARES)
    op.execute(REPORTS)
    op.execute(BEFORE)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
