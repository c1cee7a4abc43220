"""The printable pass: what it says in each language, and that every state and spell has words."""

from __future__ import annotations

import pytest
from google.type.date_pb2 import Date
from waymark.portfolio.v1.pathway_pb2 import Pathway, Spell, Step, Target

from services.platform.paper import pages
from services.portfolio.passes import rendering

TARGET = Target(qualification_uri="http://example.org/welder", eqf_level=4, title="Welder")


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_every_state_and_spell_has_words(language: str) -> None:
    steps = [Step(title="x", state=state, due_date=Date(year=2027, month=3, day=1)) for state in range(1, 8)]  # type: ignore[arg-type]
    spells = [Spell(kind=kind, start_date=Date(year=2026, month=1, day=2)) for kind in range(1, 6)]  # type: ignore[arg-type]
    way = Pathway(target=TARGET, steps=steps, spells=spells, revision=1)
    said = rendering.said_of(way, "Ada", language)
    lines = [line for part in said["parts"] for line in part["lines"]]
    assert len(set(lines)) == len(steps) + len(spells) == 12
    assert all("2027" in line or "2026" in line for line in lines)


def test_it_says_whether_both_agreed() -> None:
    way = Pathway(target=TARGET, revision=2, holder_agreed_revision=2, counsellor_agreed_revision=1)
    assert ("Not agreed by both yet, revision", "2") in rendering.said_of(way, "Ada", "en")["facts"]
    way.counsellor_agreed_revision = 2
    said = rendering.said_of(way, "Ada", "en")
    assert ("Agreed by both, revision", "2") in said["facts"]
    assert [part["lines"] for part in said["parts"]] == [["None yet"], ["None yet"]]


def test_the_paper_is_the_same_twice_and_takes_any_language() -> None:
    way = Pathway(title="To welding", target=TARGET, revision=1)
    assert rendering.as_pdf(way, "Ada", "xx", "https://a/#b") == rendering.as_pdf(
        way, "Ada", "en", "https://a/#b"
    )
