"""MarketChangeService."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import market_change_pb2 as pb
from waymark.catalogue.v1 import market_change_pb2_grpc

from services.catalogue.store import market_changes
from services.platform.app import App
from services.platform.db.paging import page_size
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query

BEGINNING = "0-0"


class MarketChangeApi(market_change_pb2_grpc.MarketChangeServiceServicer):
    """What is new, for staff."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query
    def ListMarketChanges(
        self, tx: Transaction, request: pb.ListMarketChangesRequest
    ) -> pb.ListMarketChangesResponse:
        token = request.token or BEGINNING
        transaction, _, number = token.partition("-")
        size = page_size(request.page_size)
        rows = market_changes.after(tx, (int(transaction), int(number)), size + 1)
        shown = rows[:size]
        return pb.ListMarketChangesResponse(
            market_changes=map(_message, shown),
            next_token=f"{shown[-1].xid}-{shown[-1].id}" if shown else token,
            more=len(rows) > size,
        )


def _message(row: Any) -> pb.MarketChange:
    answer = pb.MarketChange(
        kind=row.kind, resource=row.resource, subject=row.subject, nuts_code=row.nuts_code
    )
    answer.create_time.FromDatetime(row.create_time)
    return answer
