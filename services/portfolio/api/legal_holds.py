"""LegalHoldService."""

from __future__ import annotations

from waymark.portfolio.v1 import legal_hold_pb2 as pb
from waymark.portfolio.v1 import legal_hold_pb2_grpc
from waymark.portfolio.v1.events_pb2 import LegalHoldMoved

from services.platform.db.transaction import Transaction
from services.platform.rpc.masks import without_outputs
from services.portfolio.access import refuse_own
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.states import word
from services.portfolio.store import keeping
from services.portfolio.store.legal_holds import LEGAL_HOLDS
from services.portfolio.store.vault import open_at_desk


class LegalHoldApi(legal_hold_pb2_grpc.LegalHoldServiceServicer):
    """What the law asks to be kept."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateLegalHold(self, tx: Transaction, request: pb.CreateLegalHoldRequest) -> pb.LegalHold:
        (holder,) = names.parse(request.parent, "holders")
        refuse_own(tx, holder)
        vault = open_at_desk(tx, self.app.keys, holder)
        keeping.begin(tx, holder)
        hold = without_outputs(request.legal_hold)
        return _told(tx, LEGAL_HOLDS.add(tx, vault, hold, setter=tx.principal.subject, lifter=""))

    @portfolio_call
    def ListLegalHolds(self, tx: Transaction, request: pb.ListLegalHoldsRequest) -> pb.ListLegalHoldsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = LEGAL_HOLDS.page(tx, self.app.signer, open_at_desk(tx, self.app.keys, holder), request)
        return pb.ListLegalHoldsResponse(legal_holds=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def LiftLegalHold(self, tx: Transaction, request: pb.LiftLegalHoldRequest) -> pb.LegalHold:
        holder, row_id = names.parse(request.name, "holders", "legalHolds")
        refuse_own(tx, holder)
        vault = open_at_desk(tx, self.app.keys, holder)
        hold = LEGAL_HOLDS.get(tx, vault, row_id, lock=True)
        if hold.state == pb.LegalHold.STATE_LIFTED:
            return hold
        hold.lift_reason = request.reason
        lifted = {"lifter": tx.principal.subject, "lifted_at": tx.now}
        return _told(tx, LEGAL_HOLDS.replace(tx, vault, row_id, hold, **lifted))


def _told(tx: Transaction, hold: pb.LegalHold) -> pb.LegalHold:
    state = word(pb.LegalHold.State, hold.state)
    tx.publish(LegalHoldMoved(legal_hold=hold.name, to_state=state))
    return hold
