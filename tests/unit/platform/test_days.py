"""Days where the law counts them, and nobody who makes a day of a moment by themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from google.type.date_pb2 import Date
from waymark.portfolio.v1.goal_pb2 import Deadline

from services.catalogue.domain.api_quota import Window
from services.platform.days import UNLESS_TOLD, begin, day_of, live_in
from services.portfolio.domain import deadlines
from services.vouchers.domain import results, statements

SERVICES = Path(__file__).resolve().parents[3] / "services"
DAYS = SERVICES / "platform" / "days.py"
NEW_YEAR = date(2026, 1, 1)


@pytest.fixture(autouse=True)
def _afterwards() -> Iterator[None]:
    yield
    live_in(UNLESS_TOLD)


def at(zone: str, said: str) -> date:
    live_in(ZoneInfo(zone))
    return day_of(datetime.fromisoformat(said))


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("UTC", "2025-12-31T23:59:59.999999+00:00", "2025-12-31"),
        ("Europe/Brussels", "2025-12-31T22:59:59.999999+00:00", "2025-12-31"),
        ("Europe/Brussels", "2025-12-31T23:00:00+00:00", "2026-01-01"),
        ("Europe/Tallinn", "2026-06-30T21:00:00+00:00", "2026-07-01"),
        ("America/New_York", "2026-01-01T04:59:59+00:00", "2025-12-31"),
        ("America/New_York", "2026-01-01T00:00:00-05:00", "2026-01-01"),
        ("Europe/Brussels", "9999-12-31T23:59:59+00:00", "9999-12-31"),  # after it there is none
        ("America/New_York", "0001-01-01T00:00:00+00:00", "0001-01-01"),
    ],
)
def test_a_moment_falls_on_the_day_of_the_zone(zone: str, moment: str, day: str) -> None:
    assert at(zone, moment).isoformat() == day


@pytest.mark.parametrize(
    ("zone", "day", "first", "hours"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00:00+00:00", 24),
        ("Europe/Brussels", "2026-03-29", "2026-03-28T23:00:00+00:00", 23),
        ("Europe/Brussels", "2026-10-25", "2026-10-24T22:00:00+00:00", 25),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00+00:00", 23),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00+00:00", 23),  # which has no midnight
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00+00:00", 25),  # which has two
    ],
)
def test_a_day_begins_with_its_first_moment(zone: str, day: str, first: str, hours: int) -> None:
    live_in(ZoneInfo(zone))
    began, after = begin(date.fromisoformat(day)), begin(date.fromisoformat(day) + timedelta(days=1))
    assert (began.isoformat(), after - began) == (first, timedelta(hours=hours))
    assert day_of(began) == day_of(after - timedelta(microseconds=1)) == date.fromisoformat(day)
    assert day_of(began - timedelta(microseconds=1)) == date.fromisoformat(day) - timedelta(days=1)


def test_a_moment_of_no_zone_falls_on_no_day() -> None:
    with pytest.raises(ValueError, match="zone"):
        day_of(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(("zone", "offset"), [("Europe/Brussels", -1), ("America/New_York", 5), ("UTC", 0)])
def test_windows_periods_and_months_go_by_the_zone(zone: str, offset: int) -> None:
    live_in(ZoneInfo(zone))
    year = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=offset)
    last = year - timedelta(seconds=1)
    assert (Window.MONTH.begin(year), Window.MONTH.end(last), Window.DAY.begin(year)) == (year, year, year)
    assert Window.DAY.end(last) == year
    assert statements.period(NEW_YEAR, NEW_YEAR) == (year, year + timedelta(days=1))
    # Six months later by the clock on the wall, though there are 23 or 25 hours to one of the days between.
    assert day_of(results.due(year)) == date(2026, 7, 1)
    assert day_of(results.due(last)) == date(2026, 6, 30)


@pytest.mark.parametrize(("zone", "begun"), [("Europe/Brussels", True), ("America/New_York", False)])
def test_a_deadline_without_a_zone_has_that_of_the_deployment(zone: str, begun: bool) -> None:
    live_in(ZoneInfo(zone))
    day, now = Date(year=2026, month=1, day=1), datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert deadlines.is_due(Deadline(date=day), now) is begun
    assert deadlines.is_due(Deadline(date=day, time_zone="Europe/Tallinn"), now)


def _now(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "now"


def _makes_a_day(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="today" | "utcnow" | "date"), args=[]):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="func"), attr="timezone")):
            return True
        case ast.Attribute(value=value, attr="year" | "month" | "day"):
            return _now(value)
        case ast.FormattedValue(
            value=value, format_spec=ast.JoinedStr(values=[ast.Constant(value=str(form))])
        ):
            return _now(value) and "%H" not in form
        case ast.Constant(value=str(said)):
            return "AT TIME ZONE" in said
    return False


def by_oneself(source: str) -> set[int]:
    """Returns the lines that make a day of a moment without the helper, in Python or in a statement."""
    return {node.lineno for node in ast.walk(ast.parse(source)) if _makes_a_day(node)}  # type: ignore[attr-defined]


def test_nobody_makes_a_day_of_a_moment_by_themselves() -> None:
    files = [path for path in SERVICES.rglob("*.py") if "migrations" not in path.parts and path != DAYS]
    assert len(files) > 900
    found = {str(path.relative_to(SERVICES)): by_oneself(path.read_text()) for path in files}
    clock = found.pop("platform/db/transaction.py")  # tells a moment, in UTC
    counted = found.pop("vouchers/store/turnover.py")  # by the days of the zone that stands beside the count
    assert (len(clock), len(counted)) == (1, 1)
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "tx.now.date()",
        "row.created_at.astimezone(UTC).date()",
        "date.today()",
        "datetime.utcnow()",
        "datetime.now(UTC).year",
        'f"{datetime.now(UTC):%Y-%m}"',
        "func.timezone('UTC', func.now())",
        "text(\"SELECT (created_at AT TIME ZONE 'UTC')::date\")",
    ],
)
def test_control_who_does_is_found(source: str) -> None:
    assert by_oneself(source) == {1}
    assert by_oneself("day_of(row.created_at); date(2026, 1, 1); tx.today; func.current_date()") == set()
