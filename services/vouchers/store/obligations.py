"""Statements of employers' promises to hire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.domain.obligations import Count, Hiring, TraineeState
from services.vouchers.store.obligation_tables import (
    employer_obligations,
    obligation_payments,
    obligation_trainees,
)

_COUNTS = text("""SELECT t.obligation_id, count(*) AS trained,
  count(*) FILTER (WHERE t.hiring = 2 AND t.hired_on <= o.due_date) AS hired
FROM obligation_trainees t JOIN employer_obligations o ON o.id = t.obligation_id
WHERE t.state = 2 AND t.obligation_id = ANY (CAST(:obligations AS uuid[])) GROUP BY t.obligation_id""")

# Hirings that would count, and that nobody has decided on.
_UNDECIDED = """SELECT count(*) FROM obligation_trainees t
WHERE t.obligation_id = o.id AND t.state = 2 AND t.hiring = 1 AND t.hired_on <= o.due_date"""
_WAITING = text(f"SELECT ({_UNDECIDED}) FROM employer_obligations o WHERE o.id = :obligation")  # noqa: S608
_TELL_DUE = text(f"""UPDATE employer_obligations o SET due_told = TRUE
WHERE o.state = 1 AND NOT o.due_told AND o.due_date < current_date
RETURNING o.id, o.employer, ({_UNDECIDED}) AS undecided""")  # noqa: S608 - text of our own


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts an obligation; returns its row."""
    return tx.execute(insert(employer_obligations).values(values).returning(employer_obligations)).one()


def get(tx: Transaction, obligation: str) -> Row[Any]:
    """Returns an obligation's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(employer_obligations).where(employer_obligations.c.id == obligation))


def lock(tx: Transaction, obligation: str) -> Row[Any]:
    """Locks an obligation: whatever changes it or counts on it follows one after the other."""
    statement = select(employer_obligations).where(employer_obligations.c.id == obligation)
    return tx.one(statement.with_for_update(key_share=True))


def change(tx: Transaction, obligation: str, values: Mapping[str, Any]) -> Row[Any]:
    """Writes a locked obligation; returns its row."""
    place = employer_obligations.c.id == obligation
    counted = {**values, "version": employer_obligations.c.version + 1}
    changed = update(employer_obligations).where(place).values(counted).returning(employer_obligations)
    return tx.execute(changed).one()


def listed(employer: str) -> Select[Any]:
    """Returns the statement for obligations; an empty employer means any."""
    statement = select(employer_obligations)
    return statement.where(employer_obligations.c.employer == employer) if employer else statement


def counts_of(tx: Transaction, obligations: Iterable[str]) -> dict[str, Count]:
    """Returns what each obligation counts."""
    found = dict.fromkeys(obligations, Count(0, 0))
    for row in tx.execute(_COUNTS, {"obligations": list(found)}):
        found[str(row.obligation_id)] = Count(row.trained, row.hired)
    return found


def enrol(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> list[Row[Any]]:
    """Inserts trainees of one locked obligation unless they are there; returns the rows in order."""
    tx.execute(upsert(obligation_trainees).on_conflict_do_nothing(), list(rows))
    learners = [row["learner"] for row in rows]
    statement = select(obligation_trainees).where(
        obligation_trainees.c.obligation_id == rows[0]["obligation_id"],
        obligation_trainees.c.learner.in_(learners),
    )
    found = {row.learner: row for row in tx.execute(statement)}
    return [found[learner] for learner in learners]


def trainees_of(obligation: str) -> Select[Any]:
    """Returns the statement for an obligation's trainees."""
    return select(obligation_trainees).where(obligation_trainees.c.obligation_id == obligation)


def trainees(tx: Transaction, obligation: str, keys: Sequence[str]) -> list[Row[Any]]:
    """Returns trainees of an obligation in order; raises Refusal(NOT_FOUND), naming one that is none."""
    statement = trainees_of(obligation).where(obligation_trainees.c.id.in_(keys))
    found = {str(row.id): row for row in tx.execute(statement)}
    for key in keys:
        if key not in found:
            name = f"employerObligations/{obligation}/trainees/{key}"
            raise Refusal(reason_pb2.REASON_NOT_FOUND, metadata={"trainee": name})
    return [found[key] for key in keys]


def remove(tx: Transaction, keys: Sequence[str]) -> None:
    """Removes trainees of a locked obligation whom nobody has approved."""
    here = obligation_trainees.c.id.in_(keys) & (obligation_trainees.c.state == TraineeState.PROPOSED)
    tx.execute(delete(obligation_trainees).where(here))


def approve(tx: Transaction, keys: Sequence[str]) -> None:
    """Approves enrolments of a locked obligation; book the same. The database refuses who enrolled them."""
    _change(tx, keys, {"state": int(TraineeState.APPROVED), "approved_by": tx.principal.subject})


def report(tx: Transaction, keys: Sequence[str], day: date, evidence: str) -> None:
    """Reports that trainees of a locked obligation were hired."""
    values = {
        "hiring": int(Hiring.REPORTED),
        "hired_on": day,
        "evidence_reference": evidence,
        "reported_by": tx.principal.subject,
        "decided_by": "",
        "correction_by": "",
    }
    _change(tx, keys, values)


def decide(tx: Transaction, keys: Sequence[str], hiring: Hiring) -> None:
    """Decides on hirings of a locked obligation. The database refuses the reporter, and for what was verified
    whoever proposed the correction."""
    _change(tx, keys, {"hiring": int(hiring), "decided_by": tx.principal.subject})


def propose_correction(tx: Transaction, keys: Sequence[str], by: str) -> None:
    """Notes who found verified hirings of a locked obligation wrong; empty: nobody does any more."""
    _change(tx, keys, {"correction_by": by})


def undecided(tx: Transaction, obligation: str) -> int:
    """Returns how many hirings within time wait for a decision."""
    return int(tx.execute(_WAITING, {"obligation": obligation}).scalar_one())


def tell_due(tx: Transaction) -> Iterable[Row[Any]]:
    """Marks obligations whose last day is over and that nobody has assessed as told; returns those that were
    not before, each with how many hirings are `undecided`."""
    return tx.execute(_TELL_DUE).all()


def add_payment(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Inserts what an employer paid; book the same."""
    tx.execute(insert(obligation_payments).values(values))


def payments_of(obligation: str) -> Select[Any]:
    """Returns the statement for what an employer paid of an obligation, earliest first."""
    here = obligation_payments.c.obligation_id == obligation
    return select(obligation_payments).where(here).order_by(obligation_payments.c.id)


def get_payment(tx: Transaction, obligation: str, payment: str) -> Row[Any]:
    """Returns a payment of an obligation, which is locked; raises Refusal(NOT_FOUND)."""
    return tx.one(payments_of(obligation).where(obligation_payments.c.id == payment))


def undo_payment(tx: Transaction, payment: str) -> None:
    """Notes that a payment was noted wrongly; book the same. The database refuses whoever recorded it."""
    undone = {"undone_by": tx.principal.subject, "undone_at": tx.now}
    tx.execute(update(obligation_payments).where(obligation_payments.c.id == payment).values(undone))


def _change(tx: Transaction, keys: Sequence[str], values: Mapping[str, Any]) -> None:
    tx.execute(update(obligation_trainees).where(obligation_trainees.c.id.in_(keys)).values(values))
