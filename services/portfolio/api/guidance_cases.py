"""GuidanceCaseService."""

from __future__ import annotations

from waymark.portfolio.v1 import guidance_case_pb2 as pb
from waymark.portfolio.v1 import guidance_case_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import guidance, names
from services.portfolio.guiding import ask_for_human, keep_move
from services.portfolio.requests import CASE, reader_of
from services.portfolio.store import access_records, caseload, guidance_cases
from services.portfolio.store.access_records import Look
from services.portfolio.store.collection import check_room
from services.portfolio.store.guidance_cases import TIER_MOVES
from services.portfolio.store.vault import open_vault


class GuidanceCaseApi(guidance_case_pb2_grpc.GuidanceCaseServiceServicer):
    """How much help people get, and whose turn it is."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def GetGuidanceCase(self, tx: Transaction, request: pb.GetGuidanceCaseRequest) -> pb.GuidanceCase:
        return guidance_cases.read(tx, open_vault(tx, self.app.keys, names.holder_in(request.name)))

    @portfolio_call
    def AskForHuman(self, tx: Transaction, request: pb.AskForHumanRequest) -> pb.GuidanceCase:
        vault = open_vault(tx, self.app.keys, names.holder_in(request.name))
        return ask_for_human(tx, vault, request.channel)

    @portfolio_call
    def MoveSupportTier(self, tx: Transaction, request: pb.MoveSupportTierRequest) -> pb.GuidanceCase:
        vault = open_vault(tx, self.app.keys, names.holder_in(request.name))
        case = guidance_cases.lock(tx, vault, request.etag)
        before = case.tier
        guidance.move(case, request.tier)
        check_room(tx, TIER_MOVES.table, vault.holder)
        keep_move(tx, vault, before, case, request.reason)
        return guidance_cases.save(tx, vault, case)

    @portfolio_call
    def ListTierMoves(self, tx: Transaction, request: pb.ListTierMovesRequest) -> pb.ListTierMovesResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault, reader = open_vault(tx, self.app.keys, holder), reader_of(tx, holder)
        page = TIER_MOVES.page(tx, self.app.signer, vault, request)
        for move in page.messages:
            if not reader.reads(move.organisation):
                move.reason = ""
        return pb.ListTierMovesResponse(tier_moves=page.messages, next_page_token=page.next_page_token)

    @mutation
    def ListCaseload(self, tx: Transaction, request: pb.ListCaseloadRequest) -> pb.ListCaseloadResponse:
        page = caseload.listed(tx, self.app.signer, request, CASE)
        looks = [
            Look(names.holder_in(each.holder), "ListCaseload", _case_of(each), each.mandate)
            for each in page.messages
        ]
        access_records.write_all(tx, looks)
        return pb.ListCaseloadResponse(caseload=page.messages, next_page_token=page.next_page_token)


def _case_of(entry: pb.CaseloadEntry) -> str:
    return guidance_cases.name_of(names.holder_in(entry.holder))
