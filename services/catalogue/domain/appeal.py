"""Appeals of partners: open until another person than the one who decided before decides."""

from __future__ import annotations

from enum import IntEnum

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal


class State(IntEnum):
    """Where an appeal stands, with the numbers of the contract."""

    OPEN = 1
    UPHELD = 2
    DISMISSED = 3


def check_decision(state: int, against: str, filed_by: str, caller: str) -> None:
    """Raises Refusal WRONG_STATE or SAME_PERSON unless the caller may decide the appeal. `against`: who did
    what it is against, "" where that was not kept."""
    if state != State.OPEN:
        metadata = {"state": State(state).name, "needed": State.OPEN.name}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
    if caller in (against, filed_by):
        raise Refusal(reason_pb2.REASON_SAME_PERSON)
