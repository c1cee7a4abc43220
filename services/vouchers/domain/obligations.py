"""Promises to hire: how many an employer has to hire, and what it owes for those it did not. Cents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation

WHOLE = 10_000  # what basis points are parts of


class ObligationState(IntEnum):
    """Where an obligation stands, with the same numbers as in the contract. OWED may have a proposal to give
    it up beside it, which the contract tells as a state."""

    ACTIVE = 1
    OWED = 2
    SETTLED = 3
    WRITTEN_OFF = 5


class TraineeState(IntEnum):
    """Where an enrolment stands, with the same numbers as in the contract."""

    PROPOSED = 1
    APPROVED = 2


class Hiring(IntEnum):
    """Where a hiring stands, with the same numbers as in the contract."""

    NONE = 0
    REPORTED = 1
    VERIFIED = 2
    REFUTED = 3


@dataclass(frozen=True)
class Count:
    """How many are trained, and of how many it is verified that they were hired in time."""

    trained: int
    hired: int

    def required(self, percent: int) -> int:
        """Returns how many the employer has to hire; a part of a person counts as one."""
        return -(-self.trained * percent // 100)

    def missing(self, percent: int) -> int:
        """Returns how many it should have hired and did not."""
        return max(0, self.required(percent) - self.hired)


def check_payers(payers: Sequence[tuple[str, int]]) -> None:
    """Raises Refusal(RULE_INVALID) unless the parts of payers (funding source, basis points) make a whole."""
    sources = [source for source, _ in payers]
    place = "employer_obligation.payers"
    problems = [
        Violation(f"{place}[{index}].funding_source", "is given before")
        for index, source in enumerate(sources)
        if source in sources[:index]
    ]
    total = sum(part for _, part in payers)
    if total != WHOLE:
        problems.append(Violation(place, f"parts are together {total}, and must be {WHOLE}"))
    if problems:
        raise Refusal(reason_pb2.REASON_RULE_INVALID, violations=problems)
