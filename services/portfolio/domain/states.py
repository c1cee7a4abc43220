"""States of things, as refusals and events say them."""

from __future__ import annotations

from typing import Any

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal


def word(states: Any, state: int) -> str:
    """Returns a state of an enum without what all its names begin with: `OPEN` for STATE_OPEN."""
    return str(states.Name(state).removeprefix("STATE_"))


def wrong_state(found: str, needed: str) -> Refusal:
    """Returns Refusal(WRONG_STATE) for what is in the state `found`, in words like `needed`."""
    return Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": found, "needed": needed})
