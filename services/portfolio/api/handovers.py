"""HandoverService."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import handover_pb2 as pb
from waymark.portfolio.v1 import handover_pb2_grpc
from waymark.portfolio.v1.events_pb2 import HandoverMoved
from waymark.portfolio.v1.mandate_pb2 import Mandate

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.states import word, wrong_state
from services.portfolio.store import handovers, mandates

State = pb.Handover.State


class HandoverApi(handover_pb2_grpc.HandoverServiceServicer):
    """Handing mandates over, by the holder's word."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateHandover(self, tx: Transaction, request: pb.CreateHandoverRequest) -> pb.Handover:
        (holder,) = names.parse(request.parent, "holders")
        owner, mandate_id = names.parse(request.handover.mandate, "holders", "mandates")
        mandate = mandates.get(tx, holder, mandate_id)
        own = (tx.principal.subject, tx.principal.organisation)
        given = (mandate.counsellor, mandate.organisation)
        if owner != holder or given != own or mandate.state != Mandate.STATE_ACTIVE:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        to = (request.handover.counsellor, request.handover.organisation)
        if to == own or to[0] == holder:
            refuse([Violation("handover.counsellor", "must be somebody else than holder and caller")])
        return self._told(tx, handovers.create(tx, holder, mandate_id, request.handover))

    @portfolio_call
    def ListHandovers(self, tx: Transaction, request: pb.ListHandoversRequest) -> pb.ListHandoversResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = handovers.listed(tx, self.app.signer, holder, request)
        return pb.ListHandoversResponse(handovers=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def AcceptHandover(self, tx: Transaction, request: pb.AcceptHandoverRequest) -> pb.Handover:
        offer = self._offered(tx, request.name)
        holder, mandate_id = names.parse(offer.mandate, "holders", "mandates")
        former = mandates.get(tx, holder, mandate_id, lock=True)
        used_up = 0 < former.max_uses <= former.uses  # of whom it is today's, may be used; a new one may not
        state = Mandate.STATE_EXHAUSTED if used_up else former.state
        if state != Mandate.STATE_ACTIVE:
            raise wrong_state(word(Mandate.State, state), "ACTIVE")
        taken_over = Mandate(
            counsellor=offer.counsellor,
            organisation=offer.organisation,
            purpose=former.purpose,
            questionnaire=former.questionnaire,
            legal_basis=former.legal_basis,
            parts=former.parts,
            max_uses=former.max_uses,
            uses=former.uses,  # the days go on being counted
            expire_time=former.expire_time,
        )
        made = mandates.create(tx, holder, taken_over)
        mandates.revoke(tx, holder, mandate_id)
        return self._told(tx, handovers.answer(tx, offer, State.STATE_ACCEPTED, made.name))

    @portfolio_call
    def DeclineHandover(self, tx: Transaction, request: pb.DeclineHandoverRequest) -> pb.Handover:
        offer = self._offered(tx, request.name)
        return self._told(tx, handovers.answer(tx, offer, State.STATE_DECLINED))

    def _offered(self, tx: Transaction, name: str) -> pb.Handover:
        """Locks an offer that waits for an answer; raises Refusal(NOT_FOUND, WRONG_STATE)."""
        offer = handovers.lock(tx, *names.parse(name, "holders", "handovers"))
        if offer.state != State.STATE_OFFERED:
            raise wrong_state(word(State, offer.state), "OFFERED")
        return offer

    def _told(self, tx: Transaction, handover: pb.Handover) -> pb.Handover:
        tx.publish(HandoverMoved(handover=handover.name, to_state=word(State, handover.state)))
        return handover
