"""KeptContentService."""

from __future__ import annotations

from waymark.portfolio.v1 import kept_content_pb2 as pb
from waymark.portfolio.v1 import kept_content_pb2_grpc

from services.platform.db.transaction import Transaction
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import kept_contents
from services.portfolio.store.vault import open_vault


class KeptContentApi(kept_content_pb2_grpc.KeptContentServiceServicer):
    """What was changed while a legal hold was in force."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def ListKeptContents(
        self, tx: Transaction, request: pb.ListKeptContentsRequest
    ) -> pb.ListKeptContentsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = kept_contents.listed(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListKeptContentsResponse(kept_contents=page.messages, next_page_token=page.next_page_token)
