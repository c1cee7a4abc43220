"""What the money machine was told by the service: vouchers, reservations, spendings, and how many events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from sqlalchemy import text

from services.platform.db.transaction import transaction
from tests.support.refusals import reason_of
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

    def _check_refusal(self, refusal: Any) -> None:
        assert reason_of(refusal) != "INVALID_ARGUMENT", refusal  # a slip of the machine's own
        assert self.count_events() == self.events, "a refused call left an event"

    def granted(self, learner: Any, voucher: str, value: int) -> str:
        """Notes a new voucher worth `value` cents; returns its name."""
        self.values[voucher], self.owners[voucher] = value, learner
        return voucher

    def acknowledged(self, call: Callable[[], Any], events: int | Callable[[Any], int] | None = None) -> Any:
        """Runs a call; when it is acknowledged, exactly so many events more are in the outbox (I4; None:
        however many), and none when it is refused: then returns None."""
        try:
            answer = call()
        except Refused as refusal:
            self._check_refusal(refusal)
            return None
        told = self.count_events()
        if events is not None:
            more = events if isinstance(events, int) else events(answer)
            assert told == self.events + more
        self.events = told
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

    def ends_with(self, voucher: str, reserved: int, amount: int) -> bool:
        """Tells whether a live voucher is spent whole once `amount` of its last reservation is accepted."""
        last = self.held(voucher) == reserved and voucher not in self.ended
        return last and self.spent.get(voucher, 0) + amount == self.values.get(voucher)

    def resolve(self, redemption: str) -> tuple[str, int]:
        """Takes a reservation out, and returns its voucher and cents: it resolves once, a second time is a
        KeyError (I2)."""
        return self.reserved.pop(redemption)
