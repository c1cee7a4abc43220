"""BreakGlassService."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import break_glass_pb2 as pb
from waymark.portfolio.v1 import break_glass_pb2_grpc
from waymark.portfolio.v1.events_pb2 import BreakGlassOpened, BreakGlassReviewed

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import query
from services.platform.rpc.masks import without_outputs
from services.portfolio.access import refuse_own
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import break_glass
from services.portfolio.store.vault import find_vault, open_vault

Access = pb.BreakGlassAccess


class BreakGlassApi(break_glass_pb2_grpc.BreakGlassServiceServicer):
    """Looks without leave."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateBreakGlassAccess(self, tx: Transaction, request: pb.CreateBreakGlassAccessRequest) -> Access:
        (holder,) = names.parse(request.parent, "holders")
        refuse_own(tx, holder)
        vault = open_vault(tx, self.app.keys, holder)  # what is restricted stays closed
        made = break_glass.create(tx, vault, without_outputs(request.break_glass_access))
        ground = Access.Ground.Name(made.ground).removeprefix("GROUND_")
        tx.publish(
            BreakGlassOpened(
                holder=request.parent,
                break_glass_access=made.name,
                ground=ground,
                expire_time=made.expire_time,
            )
        )
        return made

    @portfolio_call
    def GetBreakGlassAccess(self, tx: Transaction, request: pb.GetBreakGlassAccessRequest) -> Access:
        holder, row_id = names.parse(request.name, *break_glass.COLLECTIONS)
        return break_glass.get(tx, holder, row_id, find_vault(tx, self.app.keys, holder))

    @portfolio_call
    def ListBreakGlassAccesses(
        self, tx: Transaction, request: pb.ListBreakGlassAccessesRequest
    ) -> pb.ListBreakGlassAccessesResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault = find_vault(tx, self.app.keys, holder)
        page = break_glass.listed(tx, self.app.signer, holder, vault, request)
        return pb.ListBreakGlassAccessesResponse(
            break_glass_accesses=page.messages, next_page_token=page.next_page_token
        )

    @query
    def ListUnreviewedBreakGlassAccesses(
        self, tx: Transaction, request: pb.ListUnreviewedBreakGlassAccessesRequest
    ) -> pb.ListUnreviewedBreakGlassAccessesResponse:
        page = break_glass.unreviewed(tx, self.app.signer, request)
        return pb.ListUnreviewedBreakGlassAccessesResponse(
            break_glass_accesses=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def EndBreakGlassAccess(self, tx: Transaction, request: pb.EndBreakGlassAccessRequest) -> Access:
        holder, row_id = names.parse(request.name, *break_glass.COLLECTIONS)
        return break_glass.end(tx, holder, row_id)

    @portfolio_call
    def ReviewBreakGlassAccess(self, tx: Transaction, request: pb.ReviewBreakGlassAccessRequest) -> Access:
        holder, row_id = names.parse(request.name, *break_glass.COLLECTIONS)
        refuse_own(tx, holder)
        vault = find_vault(tx, self.app.keys, holder)
        access = break_glass.get(tx, holder, row_id, vault, lock=True)
        if access.opener == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        if access.state == Access.STATE_REVIEWED:
            raise wrong_state("REVIEWED", "OPEN, ENDED")
        reviewed = break_glass.review(tx, access, vault, request.verdict, request.note)
        verdict = pb.BreakGlassVerdict.Name(request.verdict).removeprefix("BREAK_GLASS_VERDICT_")
        tx.publish(
            BreakGlassReviewed(holder=names.holder(holder), break_glass_access=access.name, verdict=verdict)
        )
        return reviewed
