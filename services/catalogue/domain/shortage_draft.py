"""A shortage list out of verified assessments, by the published rule: see `DraftShortageListVersion`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from services.catalogue.domain.assessment import METHOD, Assessed, Rolled, roll_up
from services.catalogue.domain.findings import WARNING, Finding
from services.catalogue.domain.shortage import MOST_EVIDENCE, Entry

MINIMUM = 3  # severity, where the request names none
MAX_AGE = 24  # months, where the request names none


def recent(
    assessed: Mapping[str, Sequence[Assessed]], oldest: date
) -> tuple[dict[str, list[Assessed]], list[Finding]]:
    """Returns what was verified on the day `oldest` or later, and a finding of each occupation of which
    something was not."""
    kept: dict[str, list[Assessed]] = {}
    findings: list[Finding] = []
    for occupation in sorted(assessed):
        young = [each for each in assessed[occupation] if each.since >= oldest]
        if young:
            kept[occupation] = young
        if left := len(assessed[occupation]) - len(young):
            findings.append(_too_old(occupation, left, len(young), oldest))
    return kept, findings


def _too_old(occupation: str, left: int, kept: int, oldest: date) -> Finding:
    return Finding(
        "ASSESSMENTS_TOO_OLD",
        WARNING,
        occupation,
        0,
        "assessments",
        str(left),
        f"{left} verified before {oldest} were left out, {kept} count.",
        "Have officers assess it anew, or draft with a greater max_age_months.",
    )


def draft(
    assessed: Mapping[str, Sequence[Assessed]],
    territory: str,
    minimum: int,
    names: Mapping[str, str],
) -> list[Entry]:
    """Returns the entries in order. `assessed`: ISCO-08 code or concept URI → its verified assessments;
    `names`: the same → label. The same assessments give the same entries, whatever order they come in.
    """
    entries: list[Entry] = []
    for occupation in sorted(assessed):
        for region, rolled in _regions(assessed[occupation], territory, minimum):
            uri, code = (occupation, "") if "://" in occupation else ("", occupation)
            label = names.get(occupation, occupation)[:200]
            place = len(entries) + 1
            evidence = _evidence(rolled.made_of)
            entries.append(Entry(place, uri, code, label, region, rolled.severity, rolled.cause, 0, evidence))
    return entries


def _regions(assessed: Sequence[Assessed], territory: str, minimum: int) -> list[tuple[str, Rolled]]:
    rolled = roll_up(assessed, territory)
    if rolled is None:
        return []
    whole = rolled.severity if rolled.severity >= minimum else 0
    found = [(territory, rolled)] if whole else []
    areas = sorted(assessed, key=lambda each: each.nuts_code)
    below = (each for each in areas if each.nuts_code.startswith(territory) and each.nuts_code != territory)
    return found + [
        (each.nuts_code, Rolled(each.severity, each.cause, [each]))
        for each in below
        if each.severity >= minimum and each.severity > whole
    ]


def _evidence(made_of: Sequence[Assessed]) -> list[str]:
    """The assessments by name; where there are more than an entry can name, the last words say how many."""
    names = [f"assessments/{each.key}" for each in made_of]
    if len(names) <= MOST_EVIDENCE:
        return names
    named = names[: MOST_EVIDENCE - 1]
    return [*named, f"and {len(names) - len(named)} more verified assessments in the region"]


def method(territory: str, minimum: int, count: int, max_age: int) -> str:
    """Says how a version was made, so that anybody can make it again."""
    return (
        f"From {count} verified assessments of officers in {territory}, rolled up by {METHOD}; "
        f"entries of severity {minimum} or more; none was verified more than {max_age} months before."
    )
