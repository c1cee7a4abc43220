"""Notices a Kafka client that is behind and yet is given nothing, so that a new one takes its place.

kafka-python 3.0.12 goes deaf when a rebalance that newly known partitions set off takes longer than one poll:
it forgets the answer under way, sends no heartbeat, holds no partition and polls on. Kafka's own checks see a
member that is away, not one that is deaf. So a client that is still joining when patience ends is replaced,
and so is one that stands still before messages.
"""

from __future__ import annotations

import time
from typing import Any

PATIENCE = 15.0  # seconds without a message before the broker is asked for its end offsets
SECOND_LOOK = 3.0  # seconds after which the client must have moved


class ConsumerStalled(OSError):
    """The client reads nothing although messages wait for it."""


class StallWatch:
    """One client's ear. Call `heard` for each batch and `check` for each empty poll; subscribe with
    `listener()`."""

    def __init__(self, patience: float = PATIENCE, second_look: float = SECOND_LOOK) -> None:
        """Both in seconds; see the constants."""
        self._patience = patience
        self._second_look = second_look
        self._next_look = time.monotonic() + patience
        self._behind: dict[Any, int] = {}
        self._joining_since: float | None = None

    def listener(self) -> Any:
        """Returns the rebalance listener by which the client says that it joins and has joined."""
        from kafka import ConsumerRebalanceListener

        watch = self
        watch._joining_since = time.monotonic()

        class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
            def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ARG002  the library's signature
                watch._joining_since = time.monotonic()

            def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ARG002
                watch._joining_since = None

        return Listener()

    def heard(self) -> None:
        """Messages came."""
        self._behind = {}
        self._next_look = time.monotonic() + self._patience

    def check(self, client: Any) -> None:
        """Raises ConsumerStalled when the client joins for longer than patience allows, or stands still
        before messages on two looks in a row."""
        joining = self._joining_since
        if joining is not None and time.monotonic() - joining > self._patience:
            raise ConsumerStalled("the group gave no partitions, nor said that there are none to give")
        if time.monotonic() < self._next_look:
            return
        ends = client.end_offsets(list(client.assignment()))
        behind = {place: at for place, end in ends.items() if (at := client.position(place)) < end}
        stuck = [place for place, at in behind.items() if self._behind.get(place) == at]
        if stuck:
            raise ConsumerStalled(f"nothing read from {stuck[0].topic} although messages wait")
        self._behind = behind
        self._next_look = time.monotonic() + (self._second_look if behind else self._patience)
