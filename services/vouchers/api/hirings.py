"""EmployerObligationService: who was hired, and what an employer owes for those it did not hire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import employer_obligation_pb2 as pb
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation
from services.vouchers.api.convert import date_of, day
from services.vouchers.api.obligation_debts import key_of, one
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.money import money
from services.vouchers.domain.obligations import Hiring, ObligationState
from services.vouchers.domain.states import need
from services.vouchers.store import ledger, names
from services.vouchers.store import obligations as store

ASSESSED = (ObligationState.OWED, ObligationState.SETTLED)


class HiringMethods:
    """The part of EmployerObligationService about hirings."""

    app: VouchersApp

    @mutation
    def ReportHirings(self, tx: Transaction, request: pb.ReportHiringsRequest) -> pb.TraineesResponse:
        row = _lock_to_decide(tx, request.parent)
        hired = date_of(request.date, "date")
        if hired > tx.today:
            raise invalid("date", "must not be in the future")
        found = store.trainees(tx, row.id, keys_of(request.parent, request.trainees))
        if any(each.hiring == Hiring.NONE for each in found):
            need(ObligationState(row.state), (ObligationState.ACTIVE,))
        new = [each.id for each in found if each.hiring in (Hiring.NONE, Hiring.REFUTED)]
        store.report(tx, new, hired, request.evidence_reference)
        return answer(store.trainees(tx, row.id, [each.id for each in found]), row.currency)

    @mutation
    def DecideHirings(self, tx: Transaction, request: pb.DecideHiringsRequest) -> pb.TraineesResponse:
        row = _lock_to_decide(tx, request.parent)
        keys = keys_of(request.parent, request.trainees)
        hiring = Hiring.REFUTED if request.refute else Hiring.VERIFIED
        new, proposed, kept = list[str](), list[str](), list[str]()
        for each in store.trainees(tx, row.id, keys):
            if each.hiring == hiring:
                kept.append(each.id)
            elif request.refute and _proposes(tx, each):
                proposed.append(each.id)
            else:
                _need_reported(tx, each, f"{request.parent}/trainees/{each.id}")
                new.append(each.id)
        store.decide(tx, new, hiring)
        if hiring is Hiring.VERIFIED:
            store.propose_correction(tx, kept, "")
        store.propose_correction(tx, proposed, tx.principal.subject)
        if row.state in ASSESSED:
            _count(tx, request.parent, row)
        return answer(store.trainees(tx, row.id, keys), row.currency)

    @mutation
    def AssessObligation(self, tx: Transaction, request: pb.AssessObligationRequest) -> pb.EmployerObligation:
        row = lock_active(tx, request.name)
        if tx.today <= row.due_date:
            metadata = {"last_day": row.due_date.isoformat()}
            raise Refusal(reason_pb2.REASON_OBLIGATION_NOT_DUE, metadata=metadata)
        if waiting := store.undecided(tx, row.id):
            raise Refusal(reason_pb2.REASON_HIRINGS_UNDECIDED, metadata={"count": str(waiting)})
        return one(self.app, tx, _count(tx, request.name, row))


def lock_active(tx: Transaction, name: str) -> Row[Any]:
    """Returns the row of an obligation that nobody has assessed, locked; raises Refusal."""
    row = store.lock(tx, key_of(name))
    need(ObligationState(row.state), (ObligationState.ACTIVE,))
    return row


def keys_of(obligation: str, trainees: Sequence[str]) -> list[str]:
    """Returns the ids in names of trainees; raises Refusal(NOT_FOUND) for one of another obligation."""
    if any(not name.startswith(f"{obligation}/") for name in trainees):
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return [names.uuid_in(name, "trainees") for name in trainees]


def answer(rows: Sequence[Row[Any]], currency: str) -> pb.TraineesResponse:
    """Returns rows of trainees as the answer to what was done with them."""
    return pb.TraineesResponse(trainees=[trainee_message(row, currency) for row in rows])


def trainee_message(row: Row[Any], currency: str) -> pb.Trainee:
    """Returns a row of a trainee as message."""
    return pb.Trainee(
        name=f"employerObligations/{row.obligation_id}/trainees/{row.id}",
        learner=row.learner,
        cost=money(row.cost_cents, currency),
        parts=[
            pb.TraineePart(funding_source=source, amount=money(cents, currency))
            for source, cents in row.parts
        ],
        state=row.state,
        hiring=row.hiring,
        hire_date=day(row.hired_on) if row.hired_on else None,
        evidence_reference=row.evidence_reference,
        provider=row.provider,
        correction_proposed=row.hiring == Hiring.VERIFIED and bool(row.correction_by),
    )


def _lock_to_decide(tx: Transaction, name: str) -> Row[Any]:
    """Returns the row of an obligation whose hirings can still be decided on, locked."""
    row = store.lock(tx, key_of(name))
    need(ObligationState(row.state), (ObligationState.ACTIVE, *ASSESSED))
    return row


def _proposes(tx: Transaction, trainee: Row[Any]) -> bool:
    """True for a verified hiring that nobody else has found wrong before: that takes two."""
    return trainee.hiring == Hiring.VERIFIED and trainee.correction_by in ("", tx.principal.subject)


def _need_reported(tx: Transaction, trainee: Row[Any], name: str) -> None:
    """Raises Refusal: OUTCOME_NOT_REPORTED without a hiring that may be decided on, SAME_PERSON for who
    reported it."""
    if trainee.hiring not in (Hiring.REPORTED, Hiring.VERIFIED):
        raise Refusal(reason_pb2.REASON_OUTCOME_NOT_REPORTED, metadata={"trainee": name})
    if trainee.reported_by == tx.principal.subject:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)


def _count(tx: Transaction, name: str, row: Row[Any]) -> Row[Any]:
    """Counts who was not hired, books what the employer owes more or less than before, and tells it; returns
    the row. Raises Refusal(PAID_MORE_THAN_OWED)."""
    missing = store.counts_of(tx, [row.id])[row.id].missing(row.hire_percent)
    owed, paid = missing * row.refund_cents, row.paid_cents
    if row.state in ASSESSED and owed == row.owed_cents:
        return row
    if owed < paid:
        metadata = {"owed_cents": str(owed), "paid_cents": str(paid)}
        raise Refusal(reason_pb2.REASON_PAID_MORE_THAN_OWED, metadata=metadata)
    more, creditor = owed - row.owed_cents, f"fundingSources/{row.creditor_id}"
    state = ObligationState.OWED if owed > paid else ObligationState.SETTLED
    row = store.change(tx, row.id, {"state": int(state), "owed_cents": owed})
    book = bookings.owe_for_trainees if more >= 0 else bookings.owe_less_for_trainees
    ledger.post(tx, ledger.lock_head(tx, row.shard), book(new_id(), name, creditor, abs(more)))
    tx.publish(
        events_pb2.EmployerObligationAssessed(
            employer_obligation=name,
            employer=row.employer,
            missing_count=missing,
            owed=money(owed, row.currency),
        )
    )
    return row
