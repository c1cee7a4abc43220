"""ReportService: counts by programme, region and month, ESF+ indicators, forecasts, open data."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import report_pb2 as pb
from waymark.vouchers.v1 import report_pb2_grpc

from services.platform.days import begin
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import query
from services.vouchers import esf_figures
from services.vouchers.api.convert import date_of, day
from services.vouchers.app import VouchersApp
from services.vouchers.domain import esf, forecast
from services.vouchers.domain.money import money
from services.vouchers.domain.sandbox import keep_apart
from services.vouchers.domain.suppression import SMALLEST, suppressed
from services.vouchers.store import budgets, names, programmes, reports
from services.vouchers.store.reports import Dimension

MONTHS = 3  # full months that a rate is taken from, unless the caller says


class ReportApi(report_pb2_grpc.ReportServiceServicer):
    """Counts, for those who steer programmes."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetMonthlyStatistics(
        self, tx: Transaction, request: pb.GetMonthlyStatisticsRequest
    ) -> pb.MonthlyStatistics:
        counts = reports.month(tx, *_month(request.month), names.last(request.programme))
        by_programme: dict[str, dict[str, Any]] = {}
        for name, rows in counts.items():
            for row in rows:
                found = by_programme.setdefault(row.programme_id, {"reasons": {}})
                if name == "reasons":
                    found["reasons"][row.code] = row.times
                else:
                    found[name] = row
        currencies = programmes.currencies(tx, by_programme)
        return pb.MonthlyStatistics(
            month=request.month,
            programmes=[
                _programme(programme_id, currencies[programme_id], found)
                for programme_id, found in sorted(by_programme.items())
            ],
        )

    @query
    def GetStatisticsBreakdown(
        self, tx: Transaction, request: pb.GetStatisticsBreakdownRequest
    ) -> pb.StatisticsBreakdown:
        dimension, programme = Dimension(request.dimension), names.last(request.programme)
        rows = reports.breakdown(tx, dimension, *_month(request.month), programme, request.nuts_length or 5)
        return pb.StatisticsBreakdown(month=request.month, dimension=request.dimension, rows=map(_row, rows))

    @query
    def GetEsfIndicators(self, tx: Transaction, request: pb.GetEsfIndicatorsRequest) -> pb.EsfIndicators:
        first = date_of(request.start_date, "start_date")
        last = date_of(request.end_date, "end_date")
        return pb.EsfIndicators(
            start_date=request.start_date,
            end_date=request.end_date,
            indicators=[
                pb.EsfIndicator(**each._asdict())
                for each in esf_figures.indicators(tx, first, last, request.programme)
            ],
            not_covered=esf.OF_ENTITIES,
        )

    @query
    def GetBudgetForecast(self, tx: Transaction, request: pb.GetBudgetForecastRequest) -> pb.BudgetForecast:
        programme = programmes.get(tx, request.name.split("/")[1])
        keep_apart(programme.currency)
        budget = budgets.get(tx, names.uuid_in(request.name, "budgets"), programme.id)
        today = tx.today
        began = reports.first_grant(tx, programme.id)
        first, last = forecast.window(today, request.months or MONTHS, began)
        granted = reports.granted(tx, programme.id, first, last + timedelta(days=1))
        row = reports.standing(tx, budget.id)
        now = forecast.Standing(*map(int, (row.funded, row.available, row.spent, row.reserved, row.open)))
        found = forecast.forecast(now, granted, (last - first).days + 1, today, budget.end_date)

        def amount(cents: int) -> Any:
            return money(cents, programme.currency)

        return pb.BudgetForecast(
            budget=request.name,
            method=pb.BudgetForecast.METHOD_LINEAR_RUN_RATE,
            as_of_date=day(today),
            window_start_date=day(first),
            window_end_date=day(last),
            window_granted=amount(granted),
            days_left=found.days_left,
            funded=amount(now.funded),
            spent=amount(now.spent),
            reserved=amount(now.reserved),
            open=amount(now.open),
            expected_grants=amount(found.expected_grants),
            forecast=amount(found.total),
            expected_balance=amount(found.balance),
            exhaustion_date=day(found.exhausted) if found.exhausted else None,
        )

    @query
    def GetOpenData(self, tx: Transaction, request: pb.GetOpenDataRequest) -> pb.OpenData:
        start, end = _quarter(request.quarter)
        if end > tx.now:
            raise Refusal(reason_pb2.REASON_PERIOD_NOT_OVER)
        by_programme, by_region = Counter[str](), Counter[str]()
        for row in reports.participants(tx, start, end):
            by_programme[row.programme] += row.people
            by_region[row.region] += row.people
        return open_data(request.quarter, by_programme, by_region)


def open_data(quarter: str, by_programme: Counter[str], by_region: Counter[str]) -> pb.OpenData:
    """Returns what may be published of people counted in two ways, which have one total."""
    hidden = [suppressed(by_programme), suppressed(by_region)]
    total = by_programme.total()
    # Where one table cannot stand beside the total, the other would give the total away.
    bare = 0 < total < SMALLEST or None in hidden

    def cells(counts: Counter[str], withheld: set[str] | None) -> list[pb.OpenDataCell]:
        return [
            _cell(key, people, hide=bare or key in (withheld or ())) for key, people in sorted(counts.items())
        ]

    return pb.OpenData(
        quarter=quarter,
        total=_cell("", total, hide=bare),
        programmes=cells(by_programme, hidden[0]),
        regions=cells(by_region, hidden[1]),
    )


def _cell(key: str, people: int, *, hide: bool) -> pb.OpenDataCell:
    return pb.OpenDataCell(key=key, participants=0 if hide else people, suppressed=hide)


def _programme(programme_id: str, currency: str, found: dict[str, Any]) -> pb.ProgrammeStatistics:
    def count(source: str, name: str) -> int:
        return int(getattr(found[source], name)) if source in found else 0

    def amount(cents: int) -> Any:
        return money(cents, currency)

    accepted, clawed = count("redemptions", "accepted_cents"), count("claw_backs", "cents")
    return pb.ProgrammeStatistics(
        programme=f"programmes/{programme_id}",
        applications=count("applications", "applications"),
        granted=count("applications", "granted"),
        refused=count("applications", "refused"),
        refusals_by_reason=found["reasons"],
        issued=amount(count("vouchers", "issued")),
        reserved=count("redemptions", "reserved"),
        accepted=count("redemptions", "accepted"),
        no_shows=count("redemptions", "no_shows"),
        accepted_amount=amount(accepted),
        paid_amount=amount(count("payments", "paid_cents")),
        clawed_back=count("claw_backs", "times"),
        clawed_back_amount=amount(clawed),
        net_accepted_amount=amount(accepted - clawed),
        recovered_amount=amount(count("payments", "recovered_cents")),
    )


def _row(row: Row[Any]) -> pb.StatisticsRow:
    return pb.StatisticsRow(
        key=row.key,
        currency_code=row.currency,
        applications=int(row.applications),
        granted=int(row.granted),
        refused=int(row.refused),
        accepted=int(row.accepted),
        accepted_amount=money(int(row.accepted_cents), row.currency),
        clawed_back_amount=money(int(row.clawed_cents), row.currency),
        paid_amount=money(int(row.paid_cents), row.currency),
    )


def _months(year: int, first: int, count: int) -> tuple[datetime, datetime]:
    """Returns start and end of some months; years that no calendar has are moved to the nearest."""
    after = year + (first + count - 1) // 12, (first + count - 1) % 12 + 1
    start = date(max(1, year), first, 1)
    return begin(start), begin(date(min(9999, max(1, after[0])), after[1], 1))


def _month(typed: str) -> tuple[datetime, datetime]:
    year, month = (int(part) for part in typed.split("-"))
    return _months(year, month, 1)


def _quarter(typed: str) -> tuple[datetime, datetime]:
    year, quarter = typed.split("-Q")
    return _months(int(year), 3 * int(quarter) - 2, 3)
