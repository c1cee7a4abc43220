"""AccessLogService."""

from __future__ import annotations

from waymark.portfolio.v1 import access_log_pb2 as pb
from waymark.portfolio.v1 import access_log_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import access_records, read_quota


class AccessLogApi(access_log_pb2_grpc.AccessLogServiceServicer):
    """Who looked at a portfolio, and who looked at as many as anybody may."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def ListAccessRecords(
        self, tx: Transaction, request: pb.ListAccessRecordsRequest
    ) -> pb.ListAccessRecordsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = access_records.listed(tx, self.app.signer, holder, request)
        return pb.ListAccessRecordsResponse(
            access_records=page.messages, next_page_token=page.next_page_token
        )

    @query
    def ListReadAlarms(self, tx: Transaction, request: pb.ListReadAlarmsRequest) -> pb.ListReadAlarmsResponse:
        page = read_quota.alarms(tx, self.app.signer, request)
        return pb.ListReadAlarmsResponse(read_alarms=page.messages, next_page_token=page.next_page_token)
