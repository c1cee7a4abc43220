"""Which entry of a shortage list makes an occupation one that a voucher programme pays for.

The rule is that of the vouchers service, which decides: an entry counts for its concept and, unless the
programme says otherwise, for all of its ISCO-08 group, in its region and below, when that is the programme's
region, a part of it, or contains it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.catalogue.domain.shortage import Entry, Occupation


@dataclass(frozen=True, slots=True)
class Need:
    """What a programme asks of an entry: its region, empty for any, and the least severity, 0 as 1.
    `concept_only`: an entry for a concept counts for no other of its group."""

    nuts_code: str
    min_severity: int
    concept_only: bool = False


def deciding(entries: Iterable[Entry], occupation: Occupation, place: str, need: Need) -> Entry | None:
    """Returns the most severe entry that counts for an occupation taught in a place, the first of equals."""
    counting = (entry for entry in entries if _counts(entry, occupation, place, need))
    return min(counting, key=lambda entry: (-entry.severity, entry.seq), default=None)


def _counts(entry: Entry, occupation: Occupation, place: str, need: Need) -> bool:
    same = bool(entry.uri) and entry.uri == occupation.uri
    for_group = bool(entry.isco_code) and not (entry.uri and need.concept_only)
    within = for_group and occupation.isco_code.startswith(entry.isco_code)
    related = entry.nuts_code.startswith(need.nuts_code) or need.nuts_code.startswith(entry.nuts_code)
    here = place.startswith(entry.nuts_code)
    return (same or within) and related and here and entry.severity >= max(1, need.min_severity)
