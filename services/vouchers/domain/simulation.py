"""What other rules would have made of decided applications: compared one by one, and summed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from services.vouchers.domain.states import ApplicationState as State


@dataclass(frozen=True)
class Outcome:
    """How an application stands, with what was granted, in cents; reasons of a refusal."""

    state: State
    amount: int = 0
    share: int = 0
    reason_codes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, state: State, amount: int, share: int, reason_codes: list[str]) -> Outcome:
        """Returns an outcome in which only a grant is worth anything and only a refusal has reasons."""
        if state is State.GRANTED:
            return cls(state, amount, share)
        return cls(state, reason_codes=tuple(reason_codes) if state is State.REFUSED else ())


@dataclass
class Tally:
    """Counts and sums, cents; in the form that is kept between chunks."""

    unchanged: int = 0
    newly_granted: int = 0
    newly_refused: int = 0
    amount_changed: int = 0
    to_queue: int = 0
    unreadable: int = 0
    granted_before: int = 0
    granted_after: int = 0
    share_before: int = 0
    share_after: int = 0

    @classmethod
    def restore(cls, kept: Mapping[str, int]) -> Tally:
        """Returns the tally that `kept` holds; an empty one from nothing."""
        return cls(**kept)

    def keep(self) -> dict[str, int]:
        """Returns the form that `restore` reads."""
        return asdict(self)

    def add(self, before: Outcome, after: Outcome) -> bool:
        """Counts one application; returns whether it comes out differently."""
        self.granted_before += before.amount
        self.granted_after += after.amount
        self.share_before += before.share
        self.share_after += after.share
        if before == after:
            self.unchanged += 1
        elif after.state is State.SUBMITTED:
            self.to_queue += 1
        elif before.state is after.state:
            self.amount_changed += 1
        elif after.state is State.GRANTED:
            self.newly_granted += 1
        else:
            self.newly_refused += 1
        return before != after
