"""Debts that will never be paid: one person proposes to give one up, another approves it, either declines."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

PROPOSED = "WRITE_OFF_PROPOSED"


class Debt(NamedTuple):
    """A debt as its row says. `state`: its name in the contract, and `open` that of one that can be given up;
    `proposed_by`: the subject who proposed that, empty: nobody; cents: `free` of what is left, bound to no
    batch, and `given_up` so far.

    Each step returns the columns that it writes, which both kinds of debt have."""

    state: str
    open: str
    proposed_by: str
    free: int
    given_up: int

    def propose(self, person: str, sealed_reason: bytes | None) -> dict[str, Any]:
        """A proposal of `person`. Raises Refusal(WRONG_STATE) where one waits or nothing is free."""
        if self.proposed_by or not self.free:
            raise _wrong(self.state, self.open)
        return {"proposed_by": person, "sealed_reason": sealed_reason}

    def approve(self, person: str, now: datetime) -> dict[str, Any]:
        """The loss of what is free, which is to be booked. Raises Refusal: WRONG_STATE where nothing was
        proposed or nothing is free any more, SAME_PERSON."""
        if not self.proposed_by or not self.free:
            raise _wrong(self.state if self.free else "SETTLED", PROPOSED)
        if self.proposed_by == person:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        return {
            "written_off_cents": self.given_up + self.free,
            "proposed_by": "",
            "write_off_by": self.proposed_by,
            "written_off_by": person,
            "written_off_at": now,
        }

    def decline(self) -> dict[str, Any]:
        """The end of a proposal. Raises Refusal(WRONG_STATE) where none waits."""
        if not self.proposed_by:
            raise _wrong(self.state, PROPOSED)
        return {"proposed_by": "", "sealed_reason": None}


def _wrong(state: str, needed: str) -> Refusal:
    return Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": needed})
