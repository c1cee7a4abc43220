"""Facts that decisions were taken on, words written in them and files handed in: let go of once public money
does not ask.

Regulation (EU) 2021/1060, article 82: supporting documents are kept for five years from 31 December of the
year of the last payment. That is a source's `retention_years` at least, and of the sources of a programme the
longest counts. Where one of them is an EU fund, the last payment is the programme's, as that is what such
money is accounted for by; else it is the case's own.
"""

from __future__ import annotations

from sqlalchemy import text

from services.platform.db.transaction import Transaction
from services.vouchers.store import reports

# The last day of a case is when it was last decided, could be appealed against, moved or was paid for. When a
# voucher was cancelled is not kept: not after it would have expired.
_TAKE = text("""WITH named AS (
  SELECT b.programme_id, p.funding_source_id AS source FROM pots p JOIN budgets b ON b.id = p.budget_id
  UNION SELECT v.programme_id, split_part(share ->> 'funding_source', '/', 2)
  FROM programme_versions v, jsonb_array_elements(coalesce(v.rules -> 'co_funding', '[]')) AS share
), terms AS (
  SELECT g.id, coalesce(max(s.retention_years), 5) AS years, CASE WHEN bool_or(s.kind = 3) THEN (
    SELECT max(created_at) FROM payment_shares p WHERE p.programme_id = g.id) END AS paid_at
  FROM programmes g LEFT JOIN named n ON n.programme_id = g.id LEFT JOIN funding_sources s ON s.id = n.source
  GROUP BY g.id
)
SELECT a.id FROM applications a JOIN terms t ON t.id = a.programme_id
LEFT JOIN vouchers v ON v.id = a.voucher_id
LEFT JOIN LATERAL (
  SELECT max(r.updated_at) AS moved_at, max(p.created_at) AS paid_at, bool_or(r.state <= 6) AS open,
    bool_or(EXISTS (SELECT FROM alerts e WHERE e.redemption_id = r.id AND e.state < 3)) AS alerted
  FROM redemptions r LEFT JOIN payment_shares p ON p.redemption_id = r.id
  WHERE r.learner = a.learner AND r.voucher_id = a.voucher_id
) AS spent ON TRUE
WHERE a.facts_let_go_at IS NULL AND a.created_at < make_date(CAST(:year AS integer) - 5, 1, 1)
  AND a.state NOT IN (1, 5, 52) AND (v.state IS NULL OR v.state > 3)
  AND spent.open IS NOT TRUE AND spent.alerted IS NOT TRUE
  AND NOT EXISTS (SELECT FROM waiting_list w WHERE w.application_id = a.id AND w.state IN (1, 2))
  AND :year > t.years + extract(year FROM greatest(a.created_at, a.decided_at, a.appeal_decided_at,
    CAST(a.appeal_until AS timestamptz), CASE WHEN v.state > 4 THEN v.expires_at END,
    spent.moved_at, spent.paid_at, t.paid_at))
ORDER BY a.created_at LIMIT :limit FOR UPDATE OF a SKIP LOCKED""")
# The hash goes too: of facts that take few values, it would tell them to whoever tries.
_LET_GO = text("""UPDATE applications SET facts = '[]', fact_hash = '', pins = pins - 'facts',
  clauses = CASE jsonb_typeof(clauses) WHEN 'array' THEN (
    SELECT coalesce(jsonb_agg(each - CAST('{facts,missing}' AS text[]) ORDER BY place), '[]')
    FROM jsonb_array_elements(clauses) WITH ORDINALITY AS kept (each, place)) ELSE clauses END,
  sealed_note = NULL, sealed_grounds = NULL, sealed_appeal_note = NULL, facts_let_go_at = :now
WHERE id = ANY (:cases)""")
_LET_GO_OF_WORDS = (
    text("""UPDATE inquiries SET sealed_note = NULL, sealed_answer = NULL
WHERE application_id = ANY (:cases)"""),
    text("""UPDATE vouchers v SET sealed_note = NULL FROM applications a
WHERE a.id = ANY (:cases) AND v.id = a.voucher_id"""),
    text("""UPDATE complaints c SET sealed_note = NULL FROM redemptions r, applications a
WHERE a.id = ANY (:cases) AND r.learner = a.learner AND r.voucher_id = a.voucher_id
  AND c.redemption_id = r.id"""),
    text("""UPDATE redemptions r SET sealed_note = NULL FROM applications a
WHERE a.id = ANY (:cases) AND r.learner = a.learner AND r.voucher_id = a.voucher_id"""),
    # Size and hash stay; the bytes go with the next sweep, which asks what is still known.
    text("""UPDATE evidence e SET let_go_at = now() FROM redemptions r, applications a
WHERE a.id = ANY (:cases) AND r.learner = a.learner AND r.voucher_id = a.voucher_id
  AND e.redemption_id = r.id"""),
)


def let_go(tx: Transaction, limit: int) -> int:
    """Lets go of the facts, words and files of closed cases past their retention, with their counts kept;
    returns of how many, at most `limit`."""
    cases = list(tx.execute(_TAKE, {"year": tx.today.year, "limit": limit}).scalars())
    if cases:
        reports.keep_counts(tx, cases)
        tx.execute(_LET_GO, {"cases": cases, "now": tx.now})
        for statement in _LET_GO_OF_WORDS:
            tx.execute(statement, {"cases": cases})
    return len(cases)
