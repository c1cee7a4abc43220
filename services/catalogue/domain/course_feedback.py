"""What learners say of courses: where it stands, who decides, and what may be told of few."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

FEWEST = 5  # who have rated; of fewer nothing is told


class State(IntEnum):
    """Where feedback stands, as in the contract."""

    SHOWN = 1
    REPORTED = 2
    HIDDEN = 3
    APPEALED = 4


PUBLIC = (State.SHOWN, State.REPORTED)


@dataclass(frozen=True)
class Rated:
    """How something is rated: by how many, and the mean to one decimal; None: by too few to be told."""

    count: int | None
    mean: float | None

    @classmethod
    def of(cls, count: int, total: int) -> Rated:
        """Sums ratings up, of which `total` is the sum."""
        return cls(count, round(total / count, 1)) if count >= FEWEST else cls(None, None)


def check_state(state: int, *needed: State) -> None:
    """Raises Refusal(WRONG_STATE) unless the feedback is in one of the states."""
    if state not in needed:
        wanted = ",".join(each.name for each in needed)
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": State(state).name, "needed": wanted})


def check_appeal(state: int, decided_by: str | None) -> None:
    """Raises Refusal(WRONG_STATE) unless it is hidden and no appeal has been decided."""
    check_state(state, State.HIDDEN)
    if decided_by is not None:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "APPEAL_DECIDED", "needed": "HIDDEN"})


def decision(state: int, hidden_by: str | None, caller: str, fault: int) -> dict[str, Any]:
    """Returns what a decision of staff sets: shown without a fault, else hidden for it.

    Raises Refusal WRONG_STATE, or SAME_PERSON when who has hidden it decides the appeal.
    """
    check_state(state, State.REPORTED, State.APPEALED)
    values: dict[str, Any] = {"state": State.HIDDEN if fault else State.SHOWN, "fault": fault}
    if state == State.APPEALED:
        if hidden_by == caller:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        return values | {"decided_by": caller}
    return values | {"hidden_by": caller} if fault else values
