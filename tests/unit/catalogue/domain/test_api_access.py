"""Rules of API access: who may have a product, what is due, and how shares of a quota are used."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.catalogue.domain import api_keys
from services.catalogue.domain.api_products import NOBODY_NAMED, Effect, Rule, covers, refusal, rule_faults
from services.catalogue.domain.api_quota import Allowance, Window, share
from services.catalogue.domain.api_statement import Month, Period, due_cents

WHY = {"en": "no"}
PRIVATE, THIRD, PLATFORM = 2, 3, 4


def test_the_first_rule_that_fits_decides_and_none_refuses() -> None:
    rules = [Rule(PRIVATE, PLATFORM, Effect.REFUSE, WHY), Rule(PRIVATE, 0, Effect.ALLOW, {})]
    assert refusal(rules, PRIVATE, [PLATFORM]) == WHY
    assert refusal(rules, PRIVATE, [1]) == {}
    assert refusal(rules, THIRD, [PLATFORM]) == NOBODY_NAMED
    assert refusal(reversed(rules), PRIVATE, [PLATFORM]) == {}
    assert [fault.field for fault in rule_faults([Rule(0, 0, Effect.REFUSE, {}), rules[0]])] == [
        "eligibility[0].reasons"
    ]


def test_a_product_covers_services_and_single_calls() -> None:
    path = "/waymark.catalogue.v1.SearchService/SearchCourses"
    assert covers(["catalogue.v1.SearchService"], path)
    assert covers(["catalogue.v1.SearchService/SearchCourses"], path)
    assert not covers(["catalogue.v1.SearchService/Suggest", "catalogue.v1.Search"], path)


@pytest.mark.parametrize(
    ("window", "begin", "end"),
    [
        (Window.MINUTE, "2026-12-31T23:59", "2027-01-01T00:00"),
        (Window.DAY, "2026-12-31T00:00", "2027-01-01T00:00"),
        (Window.MONTH, "2026-12-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_windows_are_those_of_the_calendar(window: Window, begin: str, end: str) -> None:
    now = datetime(2026, 12, 31, 23, 59, 30, 5, UTC)
    assert window.begin(now).isoformat().startswith(begin)
    assert window.end(now).isoformat().startswith(end)


def test_a_call_takes_one_of_every_window_or_none() -> None:
    held = Allowance({Window.MINUTE: 5, Window.DAY: 100})
    assert held.wanting(0) == [Window.MINUTE, Window.DAY]
    held.given(Window.MINUTE, 1, 60)
    held.given(Window.DAY, 2, 5000)
    assert held.wanting(0) == []
    assert held.take(0) is None
    assert held.wanting(0) == [Window.MINUTE]
    held.given(Window.MINUTE, 0, 60)  # the database has no more
    assert held.wanting(0) == []
    assert held.take(10) == (Window.MINUTE, 50)
    assert held.shares[Window.DAY].left == 1  # the refused call took nothing of the day
    assert held.wanting(60) == [Window.MINUTE]  # the next one has begun
    held.given(Window.MINUTE, 1, 120)
    assert held.take(60) is None
    held.given(Window.MINUTE, 0, 120)
    held.given(Window.DAY, 0, 5000)
    assert held.take(70) == (Window.DAY, 4930)  # the longer wait is the true one


def test_a_share_is_a_hundredth_and_never_nothing() -> None:
    assert [share(quota) for quota in (1, 99, 250, 10_000)] == [1, 1, 2, 100]


@pytest.mark.parametrize(
    ("period", "ended", "month", "due"),
    [
        (Period.MONTH, None, "2026-03", 0),
        (Period.MONTH, None, "2026-04", 100),
        (Period.MONTH, None, "2027-01", 100),
        (Period.MONTH, "2026-06-01", "2026-06", 100),
        (Period.MONTH, "2026-06-01", "2026-07", 0),
        (Period.YEAR, None, "2026-04", 100),
        (Period.YEAR, None, "2026-05", 0),
        (Period.YEAR, None, "2027-04", 100),
        (Period.YEAR, "2027-03-31", "2027-04", 0),
    ],
)
def test_what_is_due_begins_in_the_month(period: Period, ended: str | None, month: str, due: int) -> None:
    last = date.fromisoformat(ended) if ended else None
    assert due_cents(100, period, date(2026, 4, 15), last, Month.of(month)) == due


def test_of_what_is_too_long_for_a_key_no_more_is_looked_at() -> None:
    longest = api_keys.LONGEST
    assert api_keys.digest("k" * (longest + 1)) == api_keys.digest("k" * 1_000_000)
    assert api_keys.digest("k" * longest) != api_keys.digest("k" * (longest + 1))  # control


def test_december_is_before_january() -> None:
    assert Month.of("2026-12") == (date(2026, 12, 1), date(2027, 1, 1))
