"""Days by which something is to be done, and when to remind of them, in the time zone of who does it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from waymark.portfolio.v1.goal_pb2 import Deadline, Goal
from waymark.portfolio.v1.plan_pb2 import Plan, Task

from services.platform.days import day_in, zone
from services.platform.errors import Violation
from services.portfolio.domain.dates import check_date, to_date

MORNING = "09:00"


def check(field: str, deadline: Deadline) -> list[Violation]:
    """Returns what is wrong with a deadline that is set."""
    violations = check_date(f"{field}.date", deadline.date, partial=False)
    try:
        _zone(deadline)
    except (LookupError, ValueError, OSError):
        violations.append(Violation(f"{field}.time_zone", "is no time zone of the IANA database"))
    return violations


def of_plan(plan: Plan) -> Iterator[tuple[str, Deadline]]:
    """Yields the ids of open tasks with their deadlines."""
    for task in plan.tasks:
        if task.state == Task.STATE_OPEN and task.HasField("deadline"):
            yield task.id, task.deadline


def of_goal(goal: Goal) -> Iterator[tuple[str, Deadline]]:
    """Yields the deadline of an open goal, with no id."""
    if goal.state == Goal.STATE_OPEN and goal.HasField("deadline"):
        yield "", goal.deadline


def reminders(deadline: Deadline, now: datetime) -> list[datetime]:
    """Returns the times (UTC) after `now` at which a checked deadline wants to be reminded of."""
    return sorted(moment for moment in _moments(deadline) if moment > now)


def is_due(deadline: Deadline, now: datetime) -> bool:
    """True once the time (UTC) of a reminder of a checked deadline has come, or its day has begun."""
    begun = to_date(deadline.date) <= day_in(now, _zone(deadline))
    return begun or any(moment <= now for moment in _moments(deadline))


def _zone(deadline: Deadline) -> ZoneInfo:
    return ZoneInfo(deadline.time_zone) if deadline.time_zone else zone()


def _moments(deadline: Deadline) -> list[datetime]:
    """Returns all times (UTC) of reminders.

    A time that a day does not have, because clocks go forward, counts as so much later; of one that it has
    twice it is the first.
    """
    where, day = _zone(deadline), to_date(deadline.date)
    at = time.fromisoformat(deadline.remind_time or MORNING)
    return [
        datetime.combine(day - timedelta(days=before), at, where).astimezone(UTC)
        for before in deadline.remind_days_before
    ]
