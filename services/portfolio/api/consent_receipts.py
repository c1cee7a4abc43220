"""ConsentReceiptService."""

from __future__ import annotations

from waymark.portfolio.v1 import consent_receipt_pb2 as pb
from waymark.portfolio.v1 import consent_receipt_pb2_grpc

from services.platform.db.transaction import Transaction
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import consent_receipts
from services.portfolio.store.vault import open_vault


class ConsentReceiptApi(consent_receipt_pb2_grpc.ConsentReceiptServiceServicer):
    """All that a holder let others see or do, in one list."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def ListConsentReceipts(
        self, tx: Transaction, request: pb.ListConsentReceiptsRequest
    ) -> pb.ListConsentReceiptsResponse:
        (holder,) = names.parse(request.parent, "holders")
        found = consent_receipts.listed(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListConsentReceiptsResponse(
            consent_receipts=found.messages, next_page_token=found.next_page_token
        )
