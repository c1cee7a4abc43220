"""Reviews of agreements: the value of every target is told, and only an adjusting one sets values anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from services.platform.errors import Violation

BEST_JUDGED = 100  # of a soft indicator


class Kind(IntEnum):
    """How the value of a target comes about, with the numbers of the contract."""

    COUNTED = 1
    JUDGED = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """A target as a review tells of it: its value now, and the one to reach where that is set anew."""

    target: str
    current: int
    value: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """A target that a review has to tell of."""

    id: str
    kind: int
    baseline: int


def target_faults(kind: int, unit: str, baseline: int, value: int, start: date, due: date) -> list[Violation]:
    """Returns what is wrong with a target."""
    found = []
    if due <= start:
        found.append(Violation("target.due_date", "must be after start_date"))
    if value == baseline:
        found.append(Violation("target.value", "must not be the baseline"))
    if kind == Kind.COUNTED and not unit:
        found.append(Violation("target.unit", "is required for what is counted"))
    if kind == Kind.JUDGED and max(baseline, value) > BEST_JUDGED:
        found.append(Violation("target.value", f"is judged from 0 to {BEST_JUDGED}, the baseline too"))
    return found


def review_faults(targets: Sequence[Target], told: Sequence[Measured], *, adjusts: bool) -> list[Violation]:
    """Returns what is wrong with a review that tells `told` of an agreement with these targets."""
    known = {target.id: target for target in targets}
    ids = [measured.target for measured in told]
    found = [
        Violation("review.values", f"lacks the target {target}") for target in known if target not in ids
    ]
    for index, measured in enumerate(told):
        field = f"review.values[{index}]"
        target = known.get(measured.target)
        if target is None or ids.index(measured.target) != index:
            found.append(Violation(f"{field}.target", "is no target of the agreement, or told of twice"))
            continue
        if target.kind == Kind.JUDGED and max(measured.current, measured.value or 0) > BEST_JUDGED:
            found.append(Violation(field, f"is judged from 0 to {BEST_JUDGED}"))
        if measured.value is not None and not adjusts:
            found.append(Violation(f"{field}.value", "goes with the verdict ADJUST"))
        if measured.value == target.baseline:
            found.append(Violation(f"{field}.value", "must not be the baseline"))
    if adjusts and all(measured.value is None for measured in told):
        found.append(Violation("review.values", "the verdict ADJUST sets at least one value anew"))
    return found
