"""Calendar dates as people give them (`google.type.Date`): whole, or year and month, or year alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from waymark.errors.v1 import reason_pb2

from services.platform.days import day_of
from services.platform.errors import Refusal, Violation


def check_date(field: str, value: Date, *, partial: bool = True) -> list[Violation]:
    """Returns what is wrong with a date that is set; `partial` allows day, or month and day, to be 0."""
    whole = value.month and value.day
    if not (whole or (partial and not value.day)):
        return [Violation(field, "must have year, month and day")]
    try:
        date(value.year, value.month or 1, value.day or 1)
    except ValueError:
        return [Violation(field, "is not a date that exists")]
    return []


def moment(field: str, value: Timestamp) -> datetime:
    """Returns a moment, UTC; raises Refusal(INVALID_ARGUMENT) for one that does not exist."""
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        violations = [Violation(field, "is not a time that exists")]
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations) from None


def check_moment(field: str, value: Timestamp, day: Date) -> None:
    """Raises Refusal(INVALID_ARGUMENT) unless a moment lies on a day."""
    if from_date(day_of(moment(field, value))) != day:
        refuse([Violation(field, "must lie on the day that is said")])


def check_period(start: tuple[str, Date], end: tuple[str, Date], *, partial: bool = True) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for a date that does not exist or an end before the start.

    Each side is (path of the field, date); a date without a year is taken as not given.
    """
    given = [(field, value) for field, value in (start, end) if value.ListFields()]
    violations = [found for field, value in given for found in check_date(field, value, partial=partial)]
    if not violations and len(given) == 2 and _comparable(*start[1:]) > _comparable(*end[1:], last=True):
        violations.append(Violation(end[0], "must not be before the start"))
    refuse(violations)


def refuse(violations: list[Violation]) -> None:
    """Raises Refusal(INVALID_ARGUMENT) when there are violations."""
    if violations:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations)


def to_date(value: Date) -> date:
    """Returns a checked date, the first day where day or month are open."""
    return date(value.year, value.month or 1, value.day or 1)


def from_date(value: date) -> Date:
    """Returns the message of a date."""
    return Date(year=value.year, month=value.month, day=value.day)


def is_past(value: Date, today: date) -> bool:
    """True for a checked date before `today`; where day or month are open, the last day counts."""
    return _comparable(value, last=True) < (today.year, today.month, today.day)


def _comparable(value: Date, *, last: bool = False) -> tuple[int, int, int]:
    open_end = 99 if last else 0
    return value.year, value.month or open_end, value.day or open_end


def check_expiry(field: str, value: Timestamp, *, now: datetime, longest: timedelta) -> None:
    """Raises Refusal(INVALID_ARGUMENT) unless the time is after `now` (UTC) and at most `longest` ahead."""
    if not timedelta() < moment(field, value) - now <= longest:
        refuse([Violation(field, f"must be in the future, at most {longest.days} days ahead")])
