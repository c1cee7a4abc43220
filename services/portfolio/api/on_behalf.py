"""OnBehalfService."""

from __future__ import annotations

from waymark.portfolio.v1 import on_behalf_pb2 as pb
from waymark.portfolio.v1 import on_behalf_pb2_grpc

from services.platform.db.transaction import Transaction
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import on_behalf_records


class OnBehalfApi(on_behalf_pb2_grpc.OnBehalfServiceServicer):
    """What counsellors wrote for people who cannot use online services."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def ListOnBehalfRecords(
        self, tx: Transaction, request: pb.ListOnBehalfRecordsRequest
    ) -> pb.ListOnBehalfRecordsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = on_behalf_records.listed(tx, self.app.signer, holder, request)
        return pb.ListOnBehalfRecordsResponse(
            on_behalf_records=page.messages, next_page_token=page.next_page_token
        )
