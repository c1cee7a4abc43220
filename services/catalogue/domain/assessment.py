"""Officers' assessments: who may verify, and what verified ones come to in a region or nation.

The rule, by its version: an assessment of the region itself is the answer. Otherwise each area below it that
has one counts once, an area's own before those below it; severity is their mean, a half rounded up; the cause
is the one with the greatest sum of severities, of equal ones the first by number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

METHOD = "mean-of-areas-1"
ENTERED, VERIFIED, REJECTED, SUPERSEDED = 1, 2, 3, 4
STATES = {ENTERED: "ENTERED", VERIFIED: "VERIFIED", REJECTED: "REJECTED", SUPERSEDED: "SUPERSEDED"}


@dataclass(frozen=True, slots=True)
class Assessed:
    """A verified assessment of one occupation in one area; `key`: its id, `since`: when it was verified."""

    nuts_code: str
    severity: int
    cause: int
    key: str = ""
    since: date = date.max


@dataclass(frozen=True, slots=True)
class Rolled:
    """What assessments come to, and which."""

    severity: int
    cause: int
    made_of: Sequence[Assessed]


def check_verification(state: int, entered_by: str, verifier: str) -> None:
    """Raises Refusal WRONG_STATE or SAME_PERSON unless this person may verify or reject."""
    need_state(state, ENTERED)
    if verifier == entered_by:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)


def need_state(state: int, needed: int) -> None:
    """Raises Refusal(WRONG_STATE) unless an assessment is in the state."""
    if state != needed:
        metadata = {"state": STATES[state], "needed": STATES[needed]}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)


def roll_up(assessed: Sequence[Assessed], nuts_code: str) -> Rolled | None:
    """Returns what verified assessments of one occupation, one an area, come to; None: nothing."""
    within = {each.nuts_code: each for each in assessed if each.nuts_code.startswith(nuts_code)}
    counted = [each for code, each in sorted(within.items()) if not _covered(code, within)]
    if not counted:
        return None
    total = sum(each.severity for each in counted)
    weights: defaultdict[int, int] = defaultdict(int)
    for each in counted:
        weights[each.cause] += each.severity
    severity = (2 * total + len(counted)) // (2 * len(counted))
    cause = min(weights, key=lambda each: (-weights[each], each)) if severity else 0
    return Rolled(severity, cause, counted)


def _covered(code: str, within: dict[str, Assessed]) -> bool:
    return any(code[:length] in within for length in range(2, len(code)))
