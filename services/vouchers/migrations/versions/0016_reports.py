"""Who bears each payment, with what was paid before shared out to the source of its pot; webhooks."""

from alembic import op

revision = "0016"
down_revision = "0015"
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
CREATE INDEX ledger_entries_created ON ledger_entries USING brin (created_at);
CREATE INDEX vouchers_created ON vouchers USING brin (created_at);
CREATE INDEX redemptions_accepted ON redemptions USING brin (accepted_at);
CREATE INDEX redemptions_created ON redemptions USING brin (created_at);
CREATE INDEX applications_created ON applications USING brin (created_at);
CREATE INDEX applications_decided_at ON applications USING brin (decided_at);
"""
# An event is told to whoever subscribed to it, in its own transaction; without endpoints this costs a look.
WEBHOOKS = """
CREATE TABLE webhook_endpoints (
    id UUID NOT NULL,
    url TEXT NOT NULL,
    event_types TEXT[] DEFAULT '{}'::text[] NOT NULL,
    state SMALLINT NOT NULL,
    given_up INTEGER DEFAULT '0' NOT NULL,
    sealed_secret BYTEA NOT NULL,
    sealed_former BYTEA,
    former_until TIMESTAMP WITH TIME ZONE,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT webhook_endpoints_former_ends CHECK ((sealed_former IS NULL) = (former_until IS NULL))
);
CREATE TABLE webhook_deliveries (
    id UUID NOT NULL,
    endpoint_id UUID NOT NULL REFERENCES webhook_endpoints (id),
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    payload BYTEA NOT NULL,
    state SMALLINT DEFAULT '1' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_status INTEGER DEFAULT '0' NOT NULL,
    last_error TEXT DEFAULT '' NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (endpoint_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_at) WHERE state = 1;
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (endpoint_id, created_at, id);
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (created_at) WHERE state <> 1;
CREATE FUNCTION tell_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM webhook_endpoints WHERE state = 1) THEN
    INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_type, payload, next_at, created_at)
    SELECT gen_random_uuid(), e.id, n.id, n.type, n.payload, now(), now()
    FROM new_events n JOIN webhook_endpoints e ON e.state = 1 AND n.type = ANY (e.event_types);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER outbox_tells_webhooks AFTER INSERT ON outbox REFERENCING NEW TABLE AS new_events
  FOR EACH STATEMENT EXECUTE FUNCTION tell_webhooks();
"""


def upgrade() -> None:
    op.execute(SHARES)
    op.execute(WEBHOOKS)
    op.execute(REPORTS)
    op.execute(BEFORE)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
