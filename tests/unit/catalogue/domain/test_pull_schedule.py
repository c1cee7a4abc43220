"""When feeds are fetched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.catalogue.domain.pull_schedule import PullSchedule, kept_schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_interval_counts_from_the_last_time() -> None:
    assert PullSchedule(seconds=3600).next_after(at("2026-06-01T10:00")) == at("2026-06-01T11:00")


@pytest.mark.parametrize(
    ("times", "weekdays", "now", "due"),
    [
        (("06:00", "18:30"), (), "2026-06-01T03:59", "2026-06-01T04:00"),  # summer: two hours ahead of UTC
        (("06:00", "18:30"), (), "2026-06-01T04:00", "2026-06-01T16:30"),  # never the same moment again
        (("06:00",), (), "2026-12-01T05:30", "2026-12-02T05:00"),
        (("06:00",), (1,), "2026-06-01T04:00", "2026-06-08T04:00"),  # a Monday; the next is a week away
        (("23:30",), (7,), "2026-06-06T22:00", "2026-06-07T21:30"),
        (("00:30",), (), "2026-06-01T22:00", "2026-06-01T22:30"),  # tomorrow there, today in UTC
        (("02:30",), (), "2026-03-29T00:00", "2026-03-29T01:30"),  # does not exist that day: 03:30
        (("02:30",), (), "2026-10-24T23:00", "2026-10-25T00:30"),  # comes twice: the first
        (("02:30",), (), "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_times_are_those_of_the_zone(
    times: tuple[str, ...], weekdays: tuple[int, ...], now: str, due: str
) -> None:
    schedule = PullSchedule(times=times, weekdays=weekdays, zone="Europe/Brussels")
    assert schedule.next_after(at(now)) == at(due)
    assert kept_schedule(schedule.kept()) == schedule


def test_the_next_time_is_always_later_and_within_eight_days() -> None:
    schedule = PullSchedule(times=("02:30", "23:59"), weekdays=(3,), zone="America/Santiago")
    moment = at("2026-01-01T00:00")
    for _ in range(120):
        due = schedule.next_after(moment)
        assert timedelta(0) < due - moment < timedelta(days=8)
        moment = due
