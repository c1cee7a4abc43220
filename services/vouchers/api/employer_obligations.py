"""EmployerObligationService: what employers promise when people are trained for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import employer_obligation_pb2 as pb
from waymark.vouchers.v1 import employer_obligation_pb2_grpc, events_pb2

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of, day
from services.vouchers.api.obligation_debts import DebtMethods, key_of, messages, one
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.money import checked_cents, money
from services.vouchers.domain.obligations import Hiring, ObligationState, TraineeState, check_payers
from services.vouchers.domain.shares import split
from services.vouchers.domain.states import need
from services.vouchers.store import ledger, names, payables, programmes
from services.vouchers.store import obligations as store
from services.vouchers.store.obligation_tables import employer_obligations, obligation_trainees


class EmployerObligationApi(DebtMethods, employer_obligation_pb2_grpc.EmployerObligationServiceServicer):
    """Keeps what employers promise."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateEmployerObligation(
        self, tx: Transaction, request: pb.CreateEmployerObligationRequest
    ) -> pb.EmployerObligation:
        sent, key = request.employer_obligation, new_id()
        check_payers([(payer.funding_source, payer.share_basis_points) for payer in sent.payers])
        payers = (payer.funding_source for payer in sent.payers)
        programmes.need_sources(tx, map(names.last, (sent.creditor, *payers)))
        place = "employer_obligation.refund_per_trainee"
        values = {
            "id": key,
            "employer": sent.employer,
            "display_names": dict(sent.display_names),
            "state": int(ObligationState.ACTIVE),
            "currency": sent.currency_code,
            "creditor_id": names.last(sent.creditor),
            "payers": [[each.funding_source, each.share_basis_points, each.employer] for each in sent.payers],
            "hire_percent": sent.hire_percent,
            "refund_cents": checked_cents(place, sent.refund_per_trainee, sent.currency_code),
            "due_date": date_of(sent.due_date, "employer_obligation.due_date"),
            "shard": ledger.shard_for(tx, sent.currency_code, f"employerObligations/{key}"),
        }
        return one(self.app, tx, store.add(tx, values))

    @query
    def GetEmployerObligation(
        self, tx: Transaction, request: pb.GetEmployerObligationRequest
    ) -> pb.EmployerObligation:
        return one(self.app, tx, store.get(tx, key_of(request.name)))

    @query
    def ListEmployerObligations(
        self, tx: Transaction, request: pb.ListEmployerObligationsRequest
    ) -> pb.ListEmployerObligationsResponse:
        found = page(
            tx,
            self.app.signer,
            store.listed(request.employer),
            order_by=[employer_obligations.c.id],
            request=request,
            filters={"employer": request.employer},
        )
        return pb.ListEmployerObligationsResponse(
            employer_obligations=messages(self.app, tx, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def EnrolTrainees(self, tx: Transaction, request: pb.EnrolTraineesRequest) -> pb.TraineesResponse:
        row = _lock_active(tx, request.parent)
        cost = checked_cents("cost", request.cost, row.currency)
        parts = split(cost, [share for _, share, _ in row.payers])
        rows = [
            {
                "id": new_id(),
                "obligation_id": row.id,
                "learner": learner,
                "cost_cents": cost,
                "provider": request.provider,
                "parts": [[payer[0], part] for payer, part in zip(row.payers, parts, strict=True)],
                "state": int(TraineeState.PROPOSED),
                "enrolled_by": tx.principal.subject,
            }
            for learner in request.learners
        ]
        return _answer(store.enrol(tx, rows), row.currency)

    @mutation
    def ApproveTrainees(self, tx: Transaction, request: pb.ApproveTraineesRequest) -> pb.TraineesResponse:
        row = _lock_active(tx, request.parent)
        keys = _keys(request.parent, request.trainees)
        new = [each for each in store.trainees(tx, row.id, keys) if each.state == TraineeState.PROPOSED]
        if any(each.enrolled_by == tx.principal.subject for each in new):
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        store.approve(tx, [each.id for each in new])
        booked = []
        for each in new:
            name, payable = f"{request.parent}/trainees/{each.id}", bool(each.provider)
            if payable:
                payables.add(tx, name, each.provider, row.currency, row.shard, each.cost_cents)
            booked.append((row.shard, bookings.train(new_id(), name, each.parts, payable=payable)))
        ledger.post_all(tx, booked)
        return _answer(store.trainees(tx, row.id, keys), row.currency)

    @mutation
    def RemoveTrainees(self, tx: Transaction, request: pb.RemoveTraineesRequest) -> pb.RemoveTraineesResponse:
        row = _lock_active(tx, request.parent)
        keys = _keys(request.parent, request.trainees)
        for each in store.trainees(tx, row.id, keys):
            need(TraineeState(each.state), (TraineeState.PROPOSED,))
        store.remove(tx, keys)
        return pb.RemoveTraineesResponse(removed_count=len(keys))

    @query
    def ListTrainees(self, tx: Transaction, request: pb.ListTraineesRequest) -> pb.ListTraineesResponse:
        row = store.get(tx, key_of(request.parent))
        found = page(
            tx,
            self.app.signer,
            store.trainees_of(row.id),
            order_by=[obligation_trainees.c.id],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListTraineesResponse(
            trainees=[_trainee(each, row.currency) for each in found.rows],
            next_page_token=found.next_page_token,
        )

    @mutation
    def ReportHirings(self, tx: Transaction, request: pb.ReportHiringsRequest) -> pb.TraineesResponse:
        row = _lock_active(tx, request.parent)
        hired = date_of(request.date, "date")
        if hired > tx.today:
            violation = Violation("date", "must not be in the future")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        keys = _keys(request.parent, request.trainees)
        open_ = (Hiring.NONE, Hiring.REFUTED)
        new = [each.id for each in store.trainees(tx, row.id, keys) if each.hiring in open_]
        store.report(tx, new, hired, request.evidence_reference)
        return _answer(store.trainees(tx, row.id, keys), row.currency)

    @mutation
    def DecideHirings(self, tx: Transaction, request: pb.DecideHiringsRequest) -> pb.TraineesResponse:
        row = _lock_active(tx, request.parent)
        keys = _keys(request.parent, request.trainees)
        hiring = Hiring.REFUTED if request.refute else Hiring.VERIFIED
        new = []
        for each in store.trainees(tx, row.id, keys):
            if each.hiring == hiring:
                continue
            if each.hiring != Hiring.REPORTED:
                metadata = {"trainee": f"{request.parent}/trainees/{each.id}"}
                raise Refusal(reason_pb2.REASON_OUTCOME_NOT_REPORTED, metadata=metadata)
            if each.reported_by == tx.principal.subject:
                raise Refusal(reason_pb2.REASON_SAME_PERSON)
            new.append(each.id)
        store.decide(tx, new, hiring)
        return _answer(store.trainees(tx, row.id, keys), row.currency)

    @mutation
    def AssessObligation(self, tx: Transaction, request: pb.AssessObligationRequest) -> pb.EmployerObligation:
        row = _lock_active(tx, request.name)
        if tx.today <= row.due_date:
            metadata = {"last_day": row.due_date.isoformat()}
            raise Refusal(reason_pb2.REASON_OBLIGATION_NOT_DUE, metadata=metadata)
        if waiting := store.undecided(tx, row.id):
            raise Refusal(reason_pb2.REASON_HIRINGS_UNDECIDED, metadata={"count": str(waiting)})
        missing = store.counts_of(tx, [row.id])[row.id].missing(row.hire_percent)
        owed = missing * row.refund_cents
        state = ObligationState.OWED if owed else ObligationState.SETTLED
        row = store.change(tx, row.id, {"state": int(state), "owed_cents": owed})
        booking = bookings.owe_for_trainees(new_id(), request.name, f"fundingSources/{row.creditor_id}", owed)
        ledger.post(tx, ledger.lock_head(tx, row.shard), booking)
        tx.publish(
            events_pb2.EmployerObligationAssessed(
                employer_obligation=request.name,
                employer=row.employer,
                missing_count=missing,
                owed=money(owed, row.currency),
            )
        )
        return one(self.app, tx, row)


def _keys(obligation: str, trainees: Sequence[str]) -> list[str]:
    """Returns the ids in names of trainees; raises Refusal(NOT_FOUND) for one of another obligation."""
    if any(not name.startswith(f"{obligation}/") for name in trainees):
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return [names.uuid_in(name, "trainees") for name in trainees]


def _lock_active(tx: Transaction, name: str) -> Row[Any]:
    row = store.lock(tx, key_of(name))
    need(ObligationState(row.state), (ObligationState.ACTIVE,))
    return row


def _answer(rows: Sequence[Row[Any]], currency: str) -> pb.TraineesResponse:
    return pb.TraineesResponse(trainees=[_trainee(row, currency) for row in rows])


def _trainee(row: Row[Any], currency: str) -> pb.Trainee:
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
    )
