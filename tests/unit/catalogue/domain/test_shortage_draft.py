"""A list out of assessments: the same from the same, whatever the order."""

from __future__ import annotations

import random
from datetime import date

from services.catalogue.domain.assessment import Assessed
from services.catalogue.domain.findings import WARNING
from services.catalogue.domain.shortage import MOST_EVIDENCE, digest
from services.catalogue.domain.shortage_draft import draft, recent

URI = "http://data.europa.eu/esco/occupation/dev"
FEW, SKILLS = 1, 2


def test_the_whole_territory_and_areas_that_are_worse() -> None:
    assessed = {
        "7212": [Assessed("BE21", 5, FEW), Assessed("BE22", 3, SKILLS), Assessed("NL1", 5, FEW)],
        "2512": [Assessed("BE2", 2, SKILLS), Assessed("BE211", 4, FEW), Assessed("BE212", 2, FEW)],
        URI: [Assessed("BE21", 0, 0)],
        "9999": [Assessed("NL1", 5, FEW)],
    }
    entries = draft(assessed, "BE2", 3, {"7212": "Welders"})
    assert [(e.seq, e.isco_code, e.label, e.nuts_code, e.severity, e.cause) for e in entries] == [
        (1, "2512", "2512", "BE211", 4, FEW),
        (2, "7212", "Welders", "BE2", 4, FEW),
        (3, "7212", "Welders", "BE21", 5, FEW),
    ]


def test_the_order_of_what_goes_in_changes_nothing() -> None:
    chance = random.Random(1)
    areas = [Assessed(f"BE2{n}", chance.randrange(6), chance.randrange(1, 4)) for n in range(6)]
    pairs = [(code, areas) for code in ("1", "25", "2512", URI)]
    digests = set()
    for _ in range(20):
        chance.shuffle(pairs)
        shuffled = {code: chance.sample(found, len(found)) for code, found in pairs}
        digests.add(digest(draft(shuffled, "BE2", 1, {})))
    assert len(digests) == 1


def test_a_concept_stays_a_concept() -> None:
    (entry,) = draft({URI: [Assessed("BE2", 4, FEW)]}, "BE2", 3, {})
    assert (entry.uri, entry.isco_code) == (URI, "")


def test_entries_name_what_they_were_made_of() -> None:
    parts = [Assessed("BE21", 5, FEW, "a"), Assessed("BE22", 3, SKILLS, "b"), Assessed("NL1", 5, FEW, "c")]
    whole, area = draft({"7212": parts}, "BE2", 3, {})
    assert (whole.nuts_code, whole.evidence) == ("BE2", ["assessments/a", "assessments/b"])
    assert (area.nuts_code, area.evidence) == ("BE21", ["assessments/a"])


def test_more_than_an_entry_can_name_are_counted() -> None:
    parts = [Assessed(f"BE2{place:02d}", 4, FEW, str(place)) for place in range(MOST_EVIDENCE + 1)]
    (entry,) = draft({"7212": parts}, "BE2", 3, {})
    assert len(entry.evidence) == MOST_EVIDENCE
    assert entry.evidence[-2:] == ["assessments/18", "and 2 more verified assessments in the region"]
    (entry,) = draft({"7212": parts[:-1]}, "BE2", 3, {})
    assert entry.evidence[-1] == "assessments/19"


def test_assessments_verified_too_long_ago_are_left_out_and_told_of() -> None:
    old, young = (
        Assessed(area, 5, FEW, since=day)
        for area, day in (("BE21", date(2024, 6, 30)), ("BE22", date(2024, 7, 1)))
    )
    kept, findings = recent({"7212": [old, young], "2512": [old], "9999": [young]}, date(2024, 7, 1))
    assert kept == {"7212": [young], "9999": [young]}
    assert [(each.record, each.severity, each.message) for each in findings] == [
        ("2512", WARNING, "1 verified before 2024-07-01 were left out, 0 count."),
        ("7212", WARNING, "1 verified before 2024-07-01 were left out, 1 count."),
    ]
