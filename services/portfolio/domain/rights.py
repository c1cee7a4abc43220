"""Rights requests: their states, and the month in which they are to be answered."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from typing import TypeAlias

from waymark.portfolio.v1.rights_request_pb2 import REFUSAL_GROUND_IDENTITY_NOT_SHOWN, RightsRequest

from services.platform.errors import Refusal
from services.portfolio.domain.states import word, wrong_state

State: TypeAlias = RightsRequest.State.ValueType
_S = RightsRequest
OPEN = (_S.STATE_RECEIVED, _S.STATE_IDENTITY_CHECKED, _S.STATE_PREPARING)
ANSWERED_IN, EXTENDED_BY = 1, 2  # months
REMINDED = timedelta(days=7)  # before it is due
# Where a request may come to, and from where.
_FROM: dict[State, tuple[State, ...]] = {
    _S.STATE_IDENTITY_CHECKED: (_S.STATE_RECEIVED,),
    _S.STATE_PREPARING: (_S.STATE_IDENTITY_CHECKED,),
    _S.STATE_DELIVERED: (_S.STATE_PREPARING,),
    _S.STATE_PARTLY_REFUSED: (_S.STATE_PREPARING,),
    _S.STATE_WITHDRAWN: OPEN,
}


def due(received: datetime, *, extended: bool = False) -> datetime:
    """Returns when a request that came in at `received` (UTC) must be answered: on the same day one month
    later, or three when extended, and on the last day of a month that has no such day."""
    months = received.month - 1 + ANSWERED_IN + (EXTENDED_BY if extended else 0)
    year, month = received.year + months // 12, months % 12 + 1
    return received.replace(
        year=year, month=month, day=min(received.day, calendar.monthrange(year, month)[1])
    )


def require(state: State, to: State, ground: int = 0) -> None:
    """Raises Refusal(WRONG_STATE) unless a request may go from `state` to `to`.

    For want of identity it is refused before it is prepared, which nobody then does.
    """
    wanted = _FROM[to]
    if to == _S.STATE_PARTLY_REFUSED and ground == REFUSAL_GROUND_IDENTITY_NOT_SHOWN:
        wanted = (_S.STATE_RECEIVED,)
    if state not in wanted:
        raise _wrong(state, ", ".join(map(label, wanted)))


def require_extendable(request: RightsRequest, now: datetime) -> None:
    """Raises Refusal(WRONG_STATE) unless a request waits, is not overdue at `now` (UTC), and was not extended
    before."""
    if request.state not in OPEN:
        raise _wrong(request.state, ", ".join(map(label, OPEN)))
    if request.HasField("extend_time") or request.due_time.ToDatetime(now.tzinfo) <= now:
        found = "EXTENDED" if request.HasField("extend_time") else "OVERDUE"
        raise wrong_state(found, "in its first month")


def label(state: State) -> str:
    """Returns a state as events and errors name it."""
    return word(_S.State, state)


def _wrong(state: State, needed: str) -> Refusal:
    return wrong_state(label(state), needed)
