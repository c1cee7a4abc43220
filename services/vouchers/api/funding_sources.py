"""FundingSourceService."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import funding_source_pb2 as pb
from waymark.vouchers.v1 import funding_source_pb2_grpc

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.store import names, programmes
from services.vouchers.store.tables import funding_sources

LEAST_YEARS = 5  # of retention: Regulation (EU) 2021/1060, article 82


class FundingSourceApi(funding_source_pb2_grpc.FundingSourceServiceServicer):
    """Keeps the sources that money comes from."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateFundingSource(
        self, tx: Transaction, request: pb.CreateFundingSourceRequest
    ) -> pb.FundingSource:
        source_id = request.funding_source_id or new_id()
        values = {
            "id": source_id,
            "kind": request.funding_source.kind,
            "display_names": dict(request.funding_source.display_names),
            "retention_years": request.funding_source.retention_years or LEAST_YEARS,
        }
        programmes.add_funding_source(tx, values)
        return source_message(programmes.get_funding_source(tx, source_id))

    @mutation
    def ExtendRetention(self, tx: Transaction, request: pb.ExtendRetentionRequest) -> pb.FundingSource:
        source_id = names.last(request.name)
        before = programmes.get_funding_source(tx, source_id).retention_years
        if not programmes.extend_retention(tx, source_id, request.retention_years):
            violation = Violation("retention_years", f"must be more than {before}, as it is now")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        return source_message(programmes.get_funding_source(tx, source_id))

    @query
    def GetFundingSource(self, tx: Transaction, request: pb.GetFundingSourceRequest) -> pb.FundingSource:
        return source_message(programmes.get_funding_source(tx, names.last(request.name)))

    @query
    def ListFundingSources(
        self, tx: Transaction, request: pb.ListFundingSourcesRequest
    ) -> pb.ListFundingSourcesResponse:
        order = [funding_sources.c.created_at, funding_sources.c.id]
        found = page(tx, self.app.signer, select(funding_sources), order_by=order, request=request)
        return pb.ListFundingSourcesResponse(
            funding_sources=map(source_message, found.rows), next_page_token=found.next_page_token
        )


def source_message(row: Row[Any]) -> pb.FundingSource:
    """Returns a row as message."""
    return pb.FundingSource(
        name=f"fundingSources/{row.id}",
        kind=row.kind,
        display_names=row.display_names,
        create_time=moment(row.created_at),
        retention_years=row.retention_years,
    )
