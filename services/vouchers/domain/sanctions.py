"""Sanctions on providers, in steps: what each kind needs, how long a provider may appeal."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import IntEnum

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation

APPEAL_DAYS = 30  # unless the sanction says otherwise


class Kind(IntEnum):
    """What a sanction does, as in the contract."""

    WARNING = 1
    NO_NEW_RESERVATIONS = 2
    SUSPENDED = 3
    DELISTED = 4

    @property
    def ends(self) -> bool:
        """True when it must say until when it counts."""
        return self in (Kind.NO_NEW_RESERVATIONS, Kind.SUSPENDED)


class State(IntEnum):
    """Where a sanction stands, as in the contract."""

    PROPOSED = 1
    IN_FORCE = 2
    APPEALED = 3
    UPHELD = 4
    LIFTED = 5
    DECLINED = 6


LIFTABLE = (State.IN_FORCE, State.UPHELD)  # without an appeal: one that waits is decided by a third person


def check_end(kind: Kind, end: datetime | None, now: datetime) -> None:
    """Raises Refusal(INVALID_ARGUMENT) unless the end goes with the kind and is to come."""
    problem = ""
    if kind.ends and end is None:
        problem = "must be given for NO_NEW_RESERVATIONS and SUSPENDED"
    elif not kind.ends and end is not None:
        problem = "must not be given for WARNING and DELISTED"
    elif end is not None and end <= now:
        problem = "must be in the future"
    if problem:
        violation = Violation("sanction.end_time", problem)
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])


def check_appeal(imposed: datetime, days: int, now: datetime) -> None:
    """Raises Refusal(APPEAL_TIME_OVER) when a provider can no longer appeal."""
    limit = appeal_limit(imposed, days)
    if now >= limit:
        metadata = {"appeal_time_limit": limit.isoformat()}
        raise Refusal(reason_pb2.REASON_APPEAL_TIME_OVER, metadata=metadata)


def appeal_limit(imposed: datetime, days: int) -> datetime:
    """Returns until when (UTC) a provider may appeal."""
    return imposed + timedelta(days=days)


def check_another(subject: str, others: Collection[str]) -> None:
    """Raises Refusal(SAME_PERSON) when somebody decides who decided before."""
    if subject in others:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)


def effective(state: State, end: datetime | None, now: datetime) -> bool:
    """True while a sanction counts."""
    return state in (State.IN_FORCE, State.APPEALED, State.UPHELD) and (end is None or now < end)
