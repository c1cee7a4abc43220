"""Deadlines: reminders by the clock on the wall of who is reminded."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.type.date_pb2 import Date
from waymark.portfolio.v1.goal_pb2 import Deadline

from services.portfolio.domain import deadlines

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def moments(now: datetime = LONG_AGO, **fields: object) -> list[str]:
    """When a deadline is reminded of, UTC."""
    found = deadlines.reminders(Deadline(**fields), now)  # type: ignore[arg-type]
    return [f"{each:%m-%d %H:%M}" for each in found]


@pytest.mark.parametrize(
    ("day", "zone", "at", "wanted"),
    [
        (Date(year=2027, month=1, day=15), "Europe/Brussels", "", "01-15 08:00"),
        (Date(year=2027, month=7, day=15), "Europe/Brussels", "", "07-15 07:00"),  # summer time
        (Date(year=2027, month=7, day=15), "", "07:30", "07-15 07:30"),
        (Date(year=2027, month=7, day=15), "Asia/Kolkata", "00:15", "07-14 18:45"),
        (Date(year=2027, month=3, day=28), "Europe/Brussels", "02:30", "03-28 01:30"),  # there is no 02:30
        (Date(year=2027, month=10, day=31), "Europe/Brussels", "02:30", "10-31 00:30"),  # there are two
    ],
)
def test_a_reminder_comes_at_the_time_on_the_wall(day: Date, zone: str, at: str, wanted: str) -> None:
    assert moments(date=day, time_zone=zone, remind_time=at, remind_days_before=[0]) == [wanted]


def test_days_before_are_days_of_the_calendar_and_only_what_is_ahead_is_reminded_of() -> None:
    fields = {
        "date": Date(year=2027, month=3, day=29),
        "time_zone": "Europe/Brussels",
        "remind_days_before": [0, 7, 1],
    }
    # The night between 27 and 28 March is an hour short: the time on the wall stays.
    assert moments(**fields) == ["03-22 08:00", "03-28 07:00", "03-29 07:00"]
    assert moments(datetime(2027, 3, 28, 7, tzinfo=UTC), **fields) == ["03-29 07:00"]
    assert moments(date=fields["date"]) == []


@pytest.mark.parametrize(
    ("before", "now", "due"),
    [
        ([], datetime(2027, 3, 28, 21, 59, tzinfo=UTC), False),
        ([], datetime(2027, 3, 28, 22, 0, tzinfo=UTC), True),  # midnight in Brussels: the day has begun
        ([], datetime(2028, 1, 1, tzinfo=UTC), True),  # overdue
        ([0], datetime(2027, 3, 28, 22, 0, tzinfo=UTC), True),
        ([1, 7], datetime(2027, 3, 22, 7, 59, tzinfo=UTC), False),
        ([1, 7], datetime(2027, 3, 22, 8, 0, tzinfo=UTC), True),
    ],
)
def test_it_is_due_once_reminded_of_and_from_its_day_on(before: list[int], now: datetime, due: bool) -> None:
    day = Date(year=2027, month=3, day=29)
    found = Deadline(date=day, time_zone="Europe/Brussels", remind_days_before=before)
    assert deadlines.is_due(found, now) is due


def test_what_is_no_day_and_no_zone_is_named() -> None:
    wrong = Deadline(date=Date(year=2027, month=2, day=30), time_zone="Europe/Nowhere")
    assert [each.field for each in deadlines.check("x", wrong)] == ["x.date", "x.time_zone"]
    assert deadlines.check("x", Deadline(date=Date(year=2027, month=2)))
    for zone in ("../etc/passwd", "/etc/localtime", "europe\0"):
        assert deadlines.check("x", Deadline(date=Date(year=2027, month=2, day=1), time_zone=zone)), zone
