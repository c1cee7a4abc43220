"""Goals: progress, the straight line, months of a report; the same day months later."""

from __future__ import annotations

from datetime import date

import pytest

from services.platform.goals import MOST_MONTHS, Goal, months_after

UP = Goal(100, 200, date(2026, 1, 1), date(2026, 12, 31))
DOWN = Goal(200, 100, date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("goal", "current", "progress", "reached"),
    [
        (UP, 100, 0, False),
        (UP, 150, 5_000, False),
        (UP, 199, 9_900, False),
        (UP, 200, 10_000, True),
        (UP, 90, -1_000, False),
        (DOWN, 150, 5_000, False),
        (DOWN, 100, 10_000, True),
        (DOWN, 210, -1_000, False),
    ],
)
def test_progress_from_baseline_to_value(goal: Goal, current: int, progress: int, reached: bool) -> None:
    assert (goal.progress(current), goal.reached(current)) == (progress, reached)


def test_the_straight_line_begins_and_ends_where_it_should() -> None:
    assert [UP.planned(day) for day in (date(2025, 1, 1), UP.start, UP.due, date(2030, 1, 1))] == [
        100,
        100,
        200,
        200,
    ]
    assert UP.planned(date(2026, 7, 2)) == 150
    assert DOWN.planned(date(2026, 7, 2)) == 150


def test_months_end_with_the_due_date_or_today() -> None:
    assert list(UP.months(date(2026, 3, 5)))[-2:] == [date(2026, 2, 28), date(2026, 3, 31)]
    assert len(list(UP.months(date(2027, 3, 5)))) == 12
    assert list(UP.months(date(2025, 3, 5))) == []
    long = Goal(0, 1, date(2000, 1, 1), date(2026, 1, 1))
    assert len(list(long.months(date(2026, 1, 1)))) == MOST_MONTHS


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 3, 31), 12, date(2027, 3, 31)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 1, 31), 0, date(2026, 1, 31)),
        (date(2026, 6, 30), 6, date(2026, 12, 30)),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_the_month(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later
