"""What the money machine was told by the service: vouchers, reservations, spendings, and how many events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from sqlalchemy import text

from services.platform.db.transaction import transaction
from tests.support.vouchers import World

Refused = grpc.RpcError
EVENTS = text("SELECT count(*) FROM outbox")


class Journal:
    """What was acknowledged, in cents by voucher and redemption, and the outbox, counted after each call."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.values: dict[str, int] = {}
        self.owners: dict[str, Any] = {}
        self.spent: dict[str, int] = {}
        self.reserved: dict[str, tuple[str, int]] = {}
        self.missed: dict[str, int] = {}  # no-shows, with what can be accepted for them
        self.in_instalments: set[str] = set()
        self.planned: dict[str, list[int]] = {}  # what is still to be accepted, by redemption
        self.ended: set[str] = set()
        self.events = self.count_events()

    def count_events(self) -> int:
        with transaction(self._world.app) as tx:
            return int(tx.execute(EVENTS).scalar_one())

    def acknowledged(self, call: Callable[[], Any], events: int) -> Any:
        """Runs a call; when it is acknowledged, exactly so many events more are in the outbox (I4), and none
        when it is refused: then returns None."""
        try:
            answer = call()
        except Refused:
            assert self.count_events() == self.events, "a refused call left an event"
            return None
        self.events += events
        assert self.count_events() == self.events
        return answer

    def held(self, voucher: str) -> int:
        """Cents of a voucher that are set aside."""
        return sum(amount for whose, amount in self.reserved.values() if whose == voucher)

    def used(self, voucher: str) -> int:
        """Cents of a voucher that are set aside or spent."""
        return self.held(voucher) + self.spent.get(voucher, 0)

    def due(self, redemption: str) -> list[int]:
        """What can be accepted of a redemption, one acceptance after the other; 1 cent of a part."""
        if redemption in self.missed:
            return [self.missed[redemption]]
        return self.planned.get(redemption, [1])

    def resolve(self, redemption: str) -> tuple[str, int]:
        """Takes a reservation out, and returns its voucher and cents: it resolves once, a second time is a
        KeyError (I2)."""
        return self.reserved.pop(redemption)
