"""What a provider is accredited for, as the catalogue tells it: does it cover a training, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Training:
    """A session with its course. What the provider does not say is empty or zero; no accreditation that asks
    for it covers it then."""

    isced_f: Sequence[str]
    eqf_level: int
    nuts: str


def covers(kept: Mapping[str, Any], training: Training) -> bool:
    """True when an accreditation in the form kept (see `form`) covers a training: each list that is not empty
    has to fit, codes by how they begin."""
    return (
        (not kept["isced_f"] or any(map(_under(kept["isced_f"]), training.isced_f)))
        and (not kept["eqf"] or training.eqf_level in kept["eqf"])
        and (not kept["nuts"] or _under(kept["nuts"])(training.nuts))
    )


def covered_until(all_kept: Iterable[Mapping[str, Any]], training: Training) -> date | None:
    """Returns the last day on which one of these accreditations covers a training; None when none does."""
    days = [date.fromisoformat(kept["until"]) for kept in all_kept if covers(kept, training)]
    return max(days, default=None)


def form(until: date, isced_f: Iterable[str], eqf: Iterable[int], nuts: Iterable[str]) -> dict[str, Any]:
    """Returns an accreditation in the form kept."""
    return {"until": until.isoformat(), "isced_f": list(isced_f), "eqf": list(eqf), "nuts": list(nuts)}


def _under(codes: Sequence[str]) -> Any:
    return lambda code: code.startswith(tuple(codes))
