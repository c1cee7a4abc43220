"""How far a budget will reach: a linear run-rate over full months, beside what is spent and bound. Cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Standing:
    """Where the money of a budget is: put in, not yet granted, spent, reserved, open on vouchers."""

    funded: int
    available: int
    spent: int
    reserved: int
    open: int


@dataclass(frozen=True)
class Forecast:
    """What is to be expected. `exhausted`: last day on which the money not yet granted still does; None when
    it lasts to the end of the budget."""

    days_left: int
    expected_grants: int
    total: int
    balance: int
    exhausted: date | None


def window(today: date, months: int, began: date | None = None) -> tuple[date, date]:
    """Returns first and last day of the `months` full calendar months before this one.

    `began`: day of the first grant, None before it. Without a full month since, the days since then to
    yesterday, or today on the first one: from months in which nothing could be granted nothing follows.
    """
    last = today.replace(day=1) - timedelta(days=1)
    if began is not None and began > last.replace(day=1):
        return began, max(began, today - timedelta(days=1))
    number = today.year * 12 + today.month - 1 - months
    return date(number // 12, number % 12 + 1, 1), last


def forecast(standing: Standing, granted: int, days: int, today: date, end: date) -> Forecast:
    """Returns the forecast for a budget that ends on `end`, at the rate of `granted` in `days` days.

    Grants on a day are whole cents only in sum: the product is rounded down once.
    """
    left = max(0, (end - today).days)
    rate = max(0, granted)
    expected = rate * left // days
    total = standing.spent + standing.reserved + standing.open + expected
    exhausted = None
    if rate and expected > standing.available:
        exhausted = today + timedelta(days=standing.available * days // rate)
    return Forecast(left, expected, total, standing.funded - total, exhausted)
