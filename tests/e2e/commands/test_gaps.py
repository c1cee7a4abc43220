"""From what somebody can do to what is missing, the course that closes it and the voucher that would pay,
on a real stack."""

from __future__ import annotations

from typing import Any

import pytest

from services.cli.demo import catalogue
from services.cli.demo.journey import Journey
from services.cli.demo.portfolio_rows import occupations
from services.cli.demo.rows import ground
from services.cli.token import request_token
from tests.support.stacks import Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
LEARNER = "Malik"
PLACE = "BE352"  # where no other test has courses
TITLE = "How to braze pipes"


@pytest.fixture
def learner(stack: Stack, journey: Journey) -> Person:
    """A welder of whom the register knows, and who can do more than weld."""
    token = request_token(stack.home, "learner", subject=journey.subject(LEARNER))["access_token"]
    person = Person(stack, "--token", token)
    person.prints("holder", "create", "--given", "Malik")
    for name in ("tig-welding", "grind-metal", "measure-workpieces"):
        person.prints("skill", "create", occupations.skill(name), "--label", name)
    return person


def known(journey: Journey, learner: Person, uris: dict[str, str], school: str) -> dict[str, Any]:
    """The gap to a plumber, once search has the course."""
    among = {"organisations": [school]}
    body = {"occupation": uris[occupations.PLUMBER], "skills": [occupations.skill("tig-welding")]}
    occupations.ask(journey, "skillGap", {**body, "among": among}, TITLE)
    found: dict[str, Any] = learner.gets("skill", "gap", uris[occupations.PLUMBER], "--region", PLACE)
    return found


def test_a_gap_has_a_course_and_the_course_a_voucher(journey: Journey, learner: Person) -> None:
    uris = occupations.know(journey)
    school = occupations.teach(journey, "gap", [TITLE], PLACE)
    learner.prints(
        "entry", "create", "work", "Welder", "--more", f'{{"work": {{"occupationUri": "{uris["welder"]}"}}}}'
    )
    gap = known(journey, learner, uris, school)
    assert [each["label"] for each in gap["missingSkills"]] == ["braze pipes"]
    assert {each["label"] for each in gap["heldSkills"]} == {"measure workpieces", "TIG welding"}
    (course,) = gap["courses"]
    assert course["hit"]["organisation"] == school
    shown = learner.prints("skill", "gap", uris["plumber"], "--region", PLACE)
    for text in (TITLE, "braze pipes", "essential"):
        assert text in shown
    which_voucher_pays(
        journey, learner, ("skill", "gap", uris["plumber"], "--region", PLACE, "--funding"), school
    )
    ideas = {
        each["occupation"]: each
        for each in learner.gets("skill", "ideas", "--region", PLACE, "--limit", "50")
    }
    assert uris["welder"] not in ideas  # what they do now
    (closing,) = ideas[uris["plumber"]]["courses"]
    assert closing["hit"]["titles"]["en"] == TITLE
    assert TITLE in learner.prints("skill", "ideas", "--region", PLACE, "--limit", "50")


def which_voucher_pays(journey: Journey, learner: Person, asked: tuple[str, ...], school: str) -> None:
    """Of two programmes the one for people in work would pay once the school is accredited; each says why."""
    workers = ground.publish(journey, "flemish-training-voucher", short="gap-work").programme
    jobless = ground.publish(journey, "aptic-digital-voucher", short="gap-jobless").programme

    def outcomes() -> dict[str, Any]:
        return {each.get("programme"): each["outcome"] for each in learner.gets(*asked)["funding"]}

    before = journey.wait_for("vouchers hear of the course", lambda: outcomes().get(workers))
    open_ = [each["clause"] for each in before["clauses"] if each["outcome"] != "OUTCOME_PASSED"]
    assert not before.get("eligible")
    assert "in-work" in open_  # nobody has told of any work
    ground.tell_facts(journey, LEARNER, employment_status="employed", education_level=3)
    catalogue.accredit(journey.person(catalogue.ROLE, "Mila"), school)
    journey.wait_for("vouchers hear of the accreditation", lambda: outcomes()[workers].get("eligible"))
    after = outcomes()
    assert after[workers]["targetGroup"] == "below-upper-secondary"
    assert (after[workers]["amount"]["units"], after[workers]["learnerShare"].get("units", "0")) == (
        "90",
        "0",
    )
    assert not after[jobless].get("eligible")
    lines = learner.prints(*asked).splitlines()
    (pays,), (other,) = ([line for line in lines if each in line] for each in (workers, jobless))
    for text in ("90.00 EUR", "below-upper-secondary", "every clause passed"):
        assert text in pays
    assert "NOT_A_JOBSEEKER" in other
    assert lines.index(pays) < lines.index(other)
