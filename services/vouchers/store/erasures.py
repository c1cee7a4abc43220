"""Who erased their portfolio, and what is let go of here then: what was told of them and written about them.

Records of public money stay: applications with the facts that decided them, vouchers, redemptions, the
ledger, evidence of what was paid for, and why something was taken back from a provider.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from services.platform.db.transaction import Transaction

# Nothing is kept of who is not known here.
_MARK = text("""INSERT INTO learners (id, erased_at) SELECT :learner, :at
WHERE EXISTS (SELECT FROM learners WHERE id = :learner)
  OR EXISTS (SELECT FROM learner_facts WHERE learner = :learner)
ON CONFLICT (id) DO UPDATE SET erased_at = greatest(learners.erased_at, excluded.erased_at)""")
# Open is what may still be decided, contested, spent, paid, looked into or measured by what is kept.
_TAKE = text("""SELECT l.id FROM learners l WHERE l.erased_at IS NOT NULL AND :learner IN ('', l.id)
AND NOT EXISTS (SELECT FROM applications a WHERE a.learner = l.id
  AND (a.state IN (1, 5, 52) OR (a.state = 3 AND a.appealed_at IS NULL AND a.appeal_until >= :today)))
AND NOT EXISTS (SELECT FROM waiting_list w WHERE w.learner = l.id AND w.state IN (1, 2))
AND NOT EXISTS (SELECT FROM vouchers v WHERE v.learner = l.id AND v.state <= 3)
AND NOT EXISTS (SELECT FROM redemptions r WHERE r.learner = l.id AND r.state <= 6)
AND NOT EXISTS (SELECT FROM alerts e JOIN redemptions r ON r.id = e.redemption_id
  WHERE r.learner = l.id AND e.state < 3)
AND NOT EXISTS (SELECT FROM outcome_participants p JOIN outcome_contracts c ON c.id = p.contract_id
  WHERE p.learner = l.id AND c.state <> 4)
LIMIT :limit FOR UPDATE OF l SKIP LOCKED""")
_FORGET = (
    text("""DELETE FROM learner_facts f USING learners l
WHERE l.id = ANY (:people) AND f.learner = l.id AND f.created_at <= l.erased_at"""),
    text("""UPDATE inquiries i SET sealed_note = NULL, sealed_answer = NULL
FROM applications a JOIN learners l ON a.learner = l.id
WHERE l.id = ANY (:people) AND a.created_at <= l.erased_at AND i.application_id = a.id"""),
    text("""UPDATE applications a SET sealed_note = NULL, sealed_grounds = NULL, sealed_appeal_note = NULL
FROM learners l WHERE l.id = ANY (:people) AND a.learner = l.id AND a.created_at <= l.erased_at"""),
    text("""UPDATE complaints c SET sealed_note = NULL FROM learners l
WHERE l.id = ANY (:people) AND c.learner = l.id AND c.created_at <= l.erased_at"""),
    text("""UPDATE vouchers v SET sealed_note = NULL FROM learners l
WHERE l.id = ANY (:people) AND v.learner = l.id AND v.created_at <= l.erased_at"""),
    text("""UPDATE redemptions r SET sealed_note = NULL FROM learners l
WHERE l.id = ANY (:people) AND r.learner = l.id AND r.created_at <= l.erased_at AND r.clawed_cents = 0"""),
    # Of what was never paid for, unless it may tell against the provider (SUSPECTED_MISUSE).
    text("""UPDATE evidence e SET let_go_at = now() FROM redemptions r JOIN learners l ON r.learner = l.id
WHERE l.id = ANY (:people) AND r.created_at <= l.erased_at AND r.state IN (8, 9, 10) AND r.instalment = 0
  AND r.end_reason <> 8 AND e.redemption_id = r.id AND e.let_go_at IS NULL"""),
)
_DONE = text("UPDATE learners SET erased_at = NULL WHERE id = ANY (:people)")


def mark(tx: Transaction, learner: str, at: datetime) -> None:
    """Notes that a learner, if known here, erased their portfolio at `at`."""
    tx.execute(_MARK, {"learner": learner, "at": at})


def forget(tx: Transaction, limit: int = 1, learner: str = "") -> int:
    """Lets go of what was told of and written about those, or this one, who erased their portfolio and have
    no open case, as far as it began before; returns how many, at most `limit`.

    What came after the erasure was told anew, and stays. Who has an open case stays marked.
    """
    values = {"learner": learner, "today": tx.today, "limit": limit}
    people = list(tx.execute(_TAKE, values).scalars())
    if people:
        for statement in (*_FORGET, _DONE):
            tx.execute(statement, {"people": people})
    return len(people)
