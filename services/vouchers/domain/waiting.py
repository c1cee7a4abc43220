"""Waiting for a programme's money: the states of an entry and what leads from one to the next. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.states import ApplicationState, need

ACCEPT_HOURS = 72
LACKING = ["BUDGET_EXHAUSTED"]  # the reason codes of an application that lacks money alone


class WaitingState(IntEnum):
    """Where an entry stands, with the same numbers as in the contract."""

    WAITING = 1
    OFFERED = 2
    ACCEPTED = 3
    LAPSED = 4
    LEFT = 5
    CLOSED = 6


OPEN = (WaitingState.WAITING, WaitingState.OFFERED)


@dataclass(frozen=True)
class Entry:
    """An entry of a waiting list. `held`: cents set aside for it, which only an offer has."""

    state: WaitingState
    held: int = 0
    accept_until: datetime | None = None

    def offer(self, cents: int, until: datetime) -> Entry:
        """Sets money aside until `until`. Raises Refusal(WRONG_STATE) unless it waits."""
        need(self.state, (WaitingState.WAITING,))
        return Entry(WaitingState.OFFERED, cents, until)

    def accept(self, now: datetime) -> Entry:
        """Takes the offer. Raises Refusal: WRONG_STATE without one, OFFER_EXPIRED past its limit."""
        need(self.state, (WaitingState.OFFERED,))
        if self.accept_until is not None and now >= self.accept_until:
            raise Refusal(reason_pb2.REASON_OFFER_EXPIRED)
        return replace(self, state=WaitingState.ACCEPTED, held=0)

    def lapse(self, now: datetime) -> Entry:
        """Ends an offer past its limit. Raises Refusal(WRONG_STATE) for any other."""
        need(self.state, (WaitingState.OFFERED,))
        if self.accept_until is not None and now < self.accept_until:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "OFFERED", "needed": "LAPSED"})
        return replace(self, state=WaitingState.LAPSED, held=0)

    def leave(self) -> Entry:
        """Ends it by the learner's wish. Raises Refusal(WRONG_STATE) once ended."""
        need(self.state, OPEN)
        return replace(self, state=WaitingState.LEFT, held=0)

    def close(self) -> Entry:
        """Ends it because something else than money speaks against a grant. Raises Refusal(WRONG_STATE) once
        ended."""
        need(self.state, OPEN)
        return replace(self, state=WaitingState.CLOSED, held=0)

    def back(self) -> Entry:
        """Lets it wait again, in its old place: what it needs is more than was offered."""
        need(self.state, (WaitingState.OFFERED,))
        return Entry(WaitingState.WAITING)


def may_wait(state: ApplicationState, codes: list[str]) -> bool:
    """True when an application was refused for lack of money alone, by rules or by a caseworker."""
    return state is ApplicationState.REFUSED and codes == LACKING


def accept_hours(rules: Rules) -> int:
    """Returns within how many hours an offer must be accepted."""
    return rules.version.waiting_rule.accept_hours or ACCEPT_HOURS
