"""Money taken back from a provider, and what it owes back set off against what it is owed. Cents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.states import RedemptionState, need


@dataclass(frozen=True)
class Owed:
    """Where the accepted amount of a redemption is. `clawed` was taken back before; what is in none of the
    parts has been paid, or was set off."""

    state: RedemptionState
    accepted: int
    held: int
    cleared: int
    clawed: int

    def take(self, cents: int) -> Taken:
        """Returns where to take `cents` from; 0 means all that is left. Raises Refusal: WRONG_STATE unless
        accepted or paid, AMOUNT_TOO_HIGH for more than is left."""
        need(self.state, (RedemptionState.ACCEPTED, RedemptionState.PAID))
        left = self.accepted - self.clawed
        cents = cents or left
        if not 0 < cents <= left:
            raise Refusal(reason_pb2.REASON_AMOUNT_TOO_HIGH, metadata={"limit_cents": str(left)})
        held = min(cents, self.held)
        cleared = min(cents - held, self.cleared)
        return Taken(held, cleared, cents - held - cleared)

    def after(self, taken: Taken) -> Owed:
        """Returns what is left after taking it.

        What the bank returned after a claw-back is still due, for its receivable to be set off against; so it
        is over only when nothing is due.
        """
        clawed, held, cleared = (
            self.clawed + taken.cents,
            self.held - taken.held,
            self.cleared - taken.cleared,
        )
        over = clawed == self.accepted and held == cleared == 0
        return Owed(RedemptionState.CLAWED_BACK if over else self.state, self.accepted, held, cleared, clawed)


@dataclass(frozen=True)
class Taken:
    """Parts of a claw-back: from held, from cleared, and what the provider has to give back."""

    held: int
    cleared: int
    receivable: int

    @property
    def cents(self) -> int:
        """All of it."""
        return self.held + self.cleared + self.receivable


def set_off(due: int, receivables: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Returns how much of `due` goes against which receivable (id, what is left of it), in this order."""
    found = []
    for receivable, left in receivables:
        cents = min(due, left)
        if cents > 0:
            found.append((receivable, cents))
            due -= cents
    return found


def spread(
    redemptions: Sequence[tuple[str, int]], against: Iterable[tuple[str, int]]
) -> Iterator[tuple[str, int, list[tuple[str, int]]]]:
    """Yields, for each redemption (id, cleared cents) in order, what the bank pays of it and what of it goes
    against which receivable; `against` as `set_off` returned it."""
    left = list(against)
    for redemption, cents in redemptions:
        here = set_off(cents, left)
        used = dict(here)
        left = [(receivable, rest - used.get(receivable, 0)) for receivable, rest in left]
        yield redemption, cents - sum(used.values()), here
