"""EmployerObligationService: what employers promise when people are trained for them."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import employer_obligation_pb2 as pb
from waymark.vouchers.v1 import employer_obligation_pb2_grpc

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of
from services.vouchers.api.hirings import HiringMethods, answer, keys_of, lock_active, trainee_message
from services.vouchers.api.obligation_debts import DebtMethods, key_of, messages, one
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.money import checked_cents
from services.vouchers.domain.obligations import ObligationState, TraineeState, check_payers
from services.vouchers.domain.shares import split
from services.vouchers.domain.states import need
from services.vouchers.store import ledger, names, payables, programmes
from services.vouchers.store import obligations as store
from services.vouchers.store.obligation_tables import employer_obligations, obligation_trainees


class EmployerObligationApi(
    HiringMethods, DebtMethods, employer_obligation_pb2_grpc.EmployerObligationServiceServicer
):
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
        row = lock_active(tx, request.parent)
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
        return answer(store.enrol(tx, rows), row.currency)

    @mutation
    def ApproveTrainees(self, tx: Transaction, request: pb.ApproveTraineesRequest) -> pb.TraineesResponse:
        row = lock_active(tx, request.parent)
        keys = keys_of(request.parent, request.trainees)
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
        return answer(store.trainees(tx, row.id, keys), row.currency)

    @mutation
    def RemoveTrainees(self, tx: Transaction, request: pb.RemoveTraineesRequest) -> pb.RemoveTraineesResponse:
        row = lock_active(tx, request.parent)
        keys = keys_of(request.parent, request.trainees)
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
            trainees=[trainee_message(each, row.currency) for each in found.rows],
            next_page_token=found.next_page_token,
        )
