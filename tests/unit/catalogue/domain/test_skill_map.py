"""Gap and nearness: what is shared counts by how rare it is, and what somebody does now is no idea."""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from pathlib import Path

import pytest

from services.catalogue.domain import skill_map
from services.catalogue.domain.skill_map import Needs, Option, SkillMap, closing
from tests.support.real_data import real_data

PAGE = Path(__file__).resolve().parents[4] / "docs" / "ideas.md"
TALK = "talk to people"  # which everybody needs
ISCO = "http://data.europa.eu/esco/isco/C"


def needs(uri: str, code: str, essential: list[str], optional: list[str] | None = None) -> Needs:
    scheme = "isco-08" if uri.startswith(ISCO) else "esco-occupations"
    return Needs(uri, code, f"taxonomies/{scheme}/versions/1", essential, optional or [])


WELDER = needs("welder", "7212", [TALK, "weld", "grind"], ["read drawings"])
FITTER = needs("fitter", "7214", [TALK, "grind", "read drawings", "rivet"], ["weld"])
BAKER = needs("baker", "7512", [TALK, "bake"])
CLERK = needs("clerk", "4110", [TALK, "file"], ["type"])
WELDERS = needs(f"{ISCO}7212", "7212", ["weld", "grind"])
KNOWN = SkillMap([WELDER, FITTER, BAKER, CLERK, WELDERS])


def near(skills: set[str], *present: str) -> list[str]:
    return [each.needs.uri for each in KNOWN.near(skills, present)]


def test_rare_skills_tell_more_and_one_alone_tells_nothing() -> None:
    found = {each.needs.uri: each.nearness for each in KNOWN.near({TALK, "grind", "weld"}, [])}
    assert list(found) == [WELDERS.uri, "welder", "fitter"]  # the baker shares but talking to people
    talk, grind, weld = (math.log(1 + 5 / count) for count in (4, 3, 3))
    drawings, rivet = math.log(1 + 5 / 2), math.log(1 + 5)
    assert found[WELDERS.uri] == 1
    assert found["welder"] == pytest.approx((talk + weld + grind) / (talk + weld + grind + drawings / 4))
    assert found["fitter"] == pytest.approx(
        (talk + grind + weld / 4) / (talk + grind + drawings + rivet + weld / 4)
    )
    assert near({"weld", "read drawings"}) == ["welder", "fitter"]
    assert near({"type", "read drawings"}) == near({"type"}) == near({TALK}) == near({"unheard of"}) == []
    assert KNOWN.rarest(["weld", TALK, "bake"]) == ["bake", "weld", TALK]


def test_what_somebody_does_now_is_no_idea() -> None:
    skills = {TALK, "grind", "weld"}
    assert near(skills, "welder") == ["fitter"]  # nor is the group of welders
    assert near(skills, "7212") == ["fitter"]
    assert near(skills, "72") == []
    assert near(skills, WELDERS.uri) == ["welder", "fitter"]  # a welder of another kind may be
    assert near(skills, "unheard of") == near(skills)
    assert (KNOWN.find("7212"), KNOWN.find("welder"), KNOWN.find("721")) == (WELDERS, WELDER, None)


def test_each_course_closes_what_is_still_open() -> None:
    worth = {"a": 2.0, "b": 2.0, "c": 1.0, "d": 1.0}
    options = {
        "most": Option({"a", "c"}, 1),
        "same": Option({"a", "c"}, 0.5),
        "rest": Option({"b"}, 9),
        "optional": Option({"d"}, 9),
    }
    assert closing(options, worth, 3) == ["most", "rest", "optional"]
    assert closing(options, worth, 9) == ["most", "rest", "optional", "same"]
    assert closing(options, worth, 0) == closing({}, worth, 3) == []


def test_real_skills_lead_to_their_neighbours() -> None:
    """Essential skills of ISCO-08 groups: who has those of one group but for a third of them is near it, and
    those next to it share its sub-major group more often than groups at random do."""
    needed: defaultdict[str, set[str]] = defaultdict(set)
    with real_data("taxonomy/esco-skills/isco_essential_skills.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            needed[row["isco08_code"]].add(row["skill_uri"])
    known = SkillMap(needs(f"{ISCO}{code}", code, sorted(skills)) for code, skills in needed.items())
    first = neighbours = chances = asked = 0
    for code, skills in needed.items():
        held = set(sorted(skills)[::3] + sorted(skills)[1::3])
        own = list(known.near(held, []))
        if not own:
            continue
        asked += 1
        first += own[0].needs.isco_code == code
        others = list(known.near(held, [code]))
        neighbours += bool(others) and others[0].needs.isco_code[:2] == code[:2]
        chances += sum(other[:2] == code[:2] for other in needed) - 1
    assert asked >= 0.9 * len(needed)
    assert first >= 0.95 * asked
    assert neighbours / asked > 3 * chances / (asked * len(needed))


def test_every_weight_is_on_the_page() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d.]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    used = {name: value for name, value in vars(skill_map).items() if name.isupper() and len(name) > 1}
    assert {name: float(value) for name, value in rows} == used
