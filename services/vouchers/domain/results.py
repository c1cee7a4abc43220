"""What training did for learners: when they are asked, and which sums may be told."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum

from waymark.errors.v1 import reason_pb2

from services.platform.days import day_of, zone
from services.platform.errors import Refusal
from services.vouchers.domain.states import RedemptionState
from services.vouchers.domain.suppression import suppressed

CHANGEABLE = timedelta(days=30)  # feedback, from when it was first given
MONTHS = 6  # from acceptance until the learner is asked
UPON_LEAVING = timedelta(weeks=4)  # immediate results of the ESF+: the last that is known of these
ACCEPTED = (RedemptionState.ACCEPTED, RedemptionState.SETTLING, RedemptionState.PAID)  # of which one is asked


class Left(IntEnum):
    """Whether a learner is at work upon leaving, with the same numbers as in the contract."""

    AT_WORK = 1
    SEEKING = 2
    NEITHER = 3


def left_on(session_end: date | None, delivered: datetime | None) -> date | None:
    """Returns the day on which a learner left a training: its last, or that of the delivery where that
    came earlier or the last is not known. None before the delivery."""
    if delivered is None:
        return None
    return min(session_end or date.max, day_of(delivered))


def due(accepted: datetime) -> datetime:
    """Returns when (UTC) a learner is asked where they are: at the same time by the clock on the wall, on the
    last day of a month that has no such day."""
    accepted = accepted.astimezone(zone())
    months = accepted.month - 1 + MONTHS
    year, month = accepted.year + months // 12, months % 12 + 1
    last = monthrange(year, month)[1]
    return accepted.replace(year=year, month=month, day=min(accepted.day, last)).astimezone(UTC)


def need_attended(no_show: datetime | None) -> None:
    """Raises Refusal(WRONG_STATE) for a training that its learner was reported to have missed."""
    if no_show is not None:
        metadata = {"state": "NO_SHOW", "needed": "ATTENDED"}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)


def hidden(groups: Iterable[tuple[str, int]]) -> set[str]:
    """Returns the groups (name, how many learners) of which nothing is told: those that are too small, and as
    many others as it takes that the sum of all, which another report tells, gives none of them away."""
    sizes = {name: count for name, count in groups if count}
    found = suppressed(sizes)
    return set(sizes) if found is None else found
