"""How one clause came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from services.vouchers.domain.facts import Fact


class Outcome(IntEnum):
    """The same numbers as `ClauseOutcome.Outcome` in the contract."""

    PASSED = 1
    FAILED = 2
    UNDECIDED = 3

    @classmethod
    def of(cls, holds: bool | None) -> Outcome:
        """Returns the outcome of a truth that may be unknown."""
        if holds is None:
            return cls.UNDECIDED
        return cls.PASSED if holds else cls.FAILED

    @property
    def decided(self) -> bool:
        """True unless facts are missing."""
        return self is not Outcome.UNDECIDED


@dataclass(frozen=True)
class Result:
    """Outcome of a clause with what it rests on. `missing`: keys of facts it lacks. May be a cache's key."""

    clause: str
    outcome: Outcome
    verified: bool = True
    used: tuple[Fact, ...] = ()
    missing: tuple[str, ...] = ()
    reason_code: str = ""
    legal_reference: str = ""
    texts: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def decided(self) -> bool:
        """True unless facts are missing."""
        return self.outcome.decided

    def unverified(self) -> Result:
        """Returns the same result, resting on facts that nobody has checked."""
        return replace(self, verified=False)
