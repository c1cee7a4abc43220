"""How one clause came out."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

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


class Result(NamedTuple):
    """Outcome of a clause with what it rests on. `missing`: keys of facts it lacks; `texts`: by language. May
    be a cache's key."""

    clause: str
    outcome: Outcome
    verified: bool = True
    used: tuple[Fact, ...] = ()
    missing: tuple[str, ...] = ()
    reason_code: str = ""
    legal_reference: str = ""
    texts: tuple[tuple[str, str], ...] = ()

    @property
    def decided(self) -> bool:
        """True unless facts are missing."""
        return self.outcome.decided

    def unverified(self) -> Result:
        """Returns the same result, resting on facts that nobody has checked."""
        return self._replace(verified=False)
