"""Applications to become a partner: open until another person than the applicant decides."""

from __future__ import annotations

from enum import IntEnum

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal


class State(IntEnum):
    """Where an application stands, with the numbers of the contract."""

    OPEN = 1
    ADMITTED = 2
    REFUSED = 3


def check_decision(state: int, applicant: str, caller: str) -> None:
    """Raises Refusal WRONG_STATE or SAME_PERSON unless the caller may decide the application."""
    if state != State.OPEN:
        metadata = {"state": State(state).name, "needed": State.OPEN.name}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
    if applicant == caller:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)
