"""Notices a Kafka client that is behind and yet is given nothing, so that a new one takes its place.

Seen once with kafka-python 3.0.12 on an overloaded machine: the group had lost the member, the client did not
know it, polled on and never read again. Kafka's own checks see a member that is away, not one that is deaf.
"""

from __future__ import annotations

import time
from typing import Any

PATIENCE = 15.0  # seconds without a message before the broker is asked for its end offsets
SECOND_LOOK = 3.0  # seconds after which the client must have moved


class ConsumerStalled(OSError):
    """The client reads nothing although messages wait for it."""


class StallWatch:
    """One client's ear. Call `heard` for each batch and `check` for each empty poll."""

    def __init__(self, patience: float = PATIENCE, second_look: float = SECOND_LOOK) -> None:
        """Both in seconds; see the constants."""
        self._patience = patience
        self._second_look = second_look
        self._next_look = time.monotonic() + patience
        self._behind: dict[Any, int] = {}

    def heard(self) -> None:
        """Messages came."""
        self._behind = {}
        self._next_look = time.monotonic() + self._patience

    def check(self, client: Any) -> None:
        """Raises ConsumerStalled when the client stands still before messages on two looks in a row."""
        if time.monotonic() < self._next_look:
            return
        ends = client.end_offsets(list(client.assignment()))
        behind = {place: at for place, end in ends.items() if (at := client.position(place)) < end}
        stuck = [place for place, at in behind.items() if self._behind.get(place) == at]
        if stuck:
            raise ConsumerStalled(f"nothing read from {stuck[0].topic} although messages wait")
        self._behind = behind
        self._next_look = time.monotonic() + (self._second_look if behind else self._patience)
