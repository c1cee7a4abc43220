"""ReportService: counts by programme and month."""

from __future__ import annotations

from datetime import UTC, datetime

from waymark.vouchers.v1 import report_pb2 as pb
from waymark.vouchers.v1 import report_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money import money
from services.vouchers.store import names, programmes, reports


class ReportApi(report_pb2_grpc.ReportServiceServicer):
    """Counts, for those who steer programmes."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetMonthlyStatistics(
        self, tx: Transaction, request: pb.GetMonthlyStatisticsRequest
    ) -> pb.MonthlyStatistics:
        year, month = (int(part) for part in request.month.split("-"))
        start = datetime(max(1, year), month, 1, tzinfo=UTC)
        next_month = (year + month // 12, month % 12 + 1)
        end = datetime(min(9999, max(1, next_month[0])), next_month[1], 1, tzinfo=UTC)
        counts = reports.month(tx, start, end, names.last(request.programme))
        found: dict[str, pb.ProgrammeStatistics] = {}
        currencies: dict[str, str] = {}

        def of(programme_id: str) -> pb.ProgrammeStatistics:
            if programme_id not in found:
                found[programme_id] = pb.ProgrammeStatistics(programme=f"programmes/{programme_id}")
                currencies[programme_id] = programmes.get(tx, programme_id).currency
            return found[programme_id]

        for row in counts["applications"]:
            statistics = of(row.programme_id)
            statistics.applications, statistics.granted = row.applications, row.granted
            statistics.refused = row.refused
        for row in counts["reasons"]:
            of(row.programme_id).refusals_by_reason[row.code] = row.times
        for row in counts["vouchers"]:
            of(row.programme_id).issued.CopyFrom(money(int(row.issued), currencies[row.programme_id]))
        for row in counts["redemptions"]:
            statistics = of(row.programme_id)
            statistics.reserved, statistics.accepted = row.reserved, row.accepted
            currency = currencies[row.programme_id]
            statistics.accepted_amount.CopyFrom(money(int(row.accepted_cents), currency))
            statistics.paid_amount.CopyFrom(money(int(row.paid_cents), currency))
        ordered = [found[programme_id] for programme_id in sorted(found)]
        return pb.MonthlyStatistics(month=request.month, programmes=ordered)
