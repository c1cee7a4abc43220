"""What a transaction still has to write when it commits, and how few statements can write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.platform.db import requests

if TYPE_CHECKING:
    from services.platform.db.requests import Claiming
    from services.platform.db.wire import Call
    from services.platform.events.outbox import Row


class Closing:
    """Calls in their order; then every event by one statement, and every answer by another."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.events: list[Row] = []
        self.answers: list[tuple[Claiming, bytes]] = []

    def add(self, other: Closing) -> None:
        """Takes over what `other` has to write, after what is here."""
        self.calls += other.calls
        self.events += other.events
        self.answers += other.answers

    def take(self) -> list[Call]:
        """Returns the calls that write all of it, and forgets it."""
        calls = self.calls
        if self.events:
            from services.platform.events import outbox  # needs what this package offers

            calls.append(outbox.append(self.events))
        if self.answers:
            calls.append(requests.keep(self.answers))
        self.calls, self.events, self.answers = [], [], []
        return calls
