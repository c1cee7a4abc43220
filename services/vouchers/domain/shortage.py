"""Does a course prepare for an occupation on a shortage list, at the place it is held?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Occupation:
    """Concept URI and ISCO-08 code of one to four digits; either may be empty."""

    uri: str
    isco: str


@dataclass(frozen=True)
class Entry:
    """An entry of a published list version. `severity`: 1 (slight) to 5 (critical)."""

    name: str
    occupation: Occupation
    nuts: str
    severity: int


def best_entry(
    entries: Iterable[Entry],
    occupations: Sequence[Occupation],
    *,
    place: str,
    region: str,
    min_severity: int,
    concept_only: bool = False,
) -> Entry | None:
    """Returns the most severe entry that matches, the first by name among equals, or None.

    `place`: NUTS code of the session, empty when online or unknown; `region`: NUTS code of the programme's
    rule, empty for any. `min_severity` 0 counts as 1. `concept_only`: an entry for a concept counts for no
    other of its group.
    """
    matching = [
        entry
        for entry in entries
        if entry.severity >= max(1, min_severity)
        and any(same_occupation(entry.occupation, taught, concept_only) for taught in occupations)
        and holds_at(entry.nuts, place, region)
    ]
    return min(matching, key=lambda entry: (-entry.severity, entry.name), default=None)


def same_occupation(listed: Occupation, taught: Occupation, concept_only: bool) -> bool:
    """True for the same concept, or when the listed ISCO group contains the one taught and the entry is not
    to be taken for its concept alone."""
    if listed.uri and (concept_only or listed.uri == taught.uri):
        return listed.uri == taught.uri
    return bool(listed.isco) and taught.isco.startswith(listed.isco)


def holds_at(entry_nuts: str, place: str, region: str) -> bool:
    """True when an entry for `entry_nuts` counts at `place` under a rule for `region`.

    A region contains those whose codes begin with its own. A session without a place counts wherever the rule
    does.
    """
    if region and not related(entry_nuts, region):
        return False
    return not place or not entry_nuts or place.startswith(entry_nuts)


def related(one: str, other: str) -> bool:
    """True when one NUTS region contains the other, or is it."""
    return one.startswith(other) or other.startswith(one)
