"""RemainderService."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty
from waymark.portfolio.v1 import remainder_pb2 as pb
from waymark.portfolio.v1 import remainder_pb2_grpc

from services.platform.db.transaction import Transaction
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store.remainders import REMAINDERS
from services.portfolio.store.vault import open_vault


class RemainderApi(remainder_pb2_grpc.RemainderServiceServicer):
    """What documents said that a portfolio has no place for."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def ListRemainders(self, tx: Transaction, request: pb.ListRemaindersRequest) -> pb.ListRemaindersResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = REMAINDERS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListRemaindersResponse(remainders=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def DeleteRemainder(self, tx: Transaction, request: pb.DeleteRemainderRequest) -> Empty:
        holder, remainder_id = names.parse(request.name, "holders", "remainders")
        REMAINDERS.remove(tx, holder, remainder_id)
        return Empty()
