"""Upskilling in three steps as one flow: what somebody can do, what is offered for the rest, recognition."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import guidance, occupations
from services.cli.demo.portfolio_rows.occupations import WELDER

LEARNER = "Rosa"
OFFER = "TIG welding for those who weld already"


def show(journey: Journey) -> str:
    """REST: a first case finds what is missing, the gap to the occupation offers a course for it, a step
    agreed by both closes it, a second case certifies."""
    people = guidance.gather(journey, LEARNER)
    course = offer(people)
    way = guidance.pathway(people)
    first = guidance.documented(people, way, gas="ELEMENT_RATING_NOT_SHOWN")
    partial = guidance.decide(people, first["name"], "first", gas="ELEMENT_RATING_NOT_SHOWN")
    (step,) = [each["step"] for each in partial["elements"] if each.get("step")]
    people.counsellor.rest("PATCH", f"/v1/{step}", {"title": f"Gas welding, by {course}"})
    for caller in (people.learner, people.counsellor):
        guidance.post(caller, f"{way}:agree", {})
    guidance.post(people.learner, f"{way}:start", {})
    guidance.post(people.learner, f"{step}:move", {"state": "STATE_EVIDENCE_SUBMITTED"})
    guidance.post(people.counsellor, f"{step}:move", {"state": "STATE_CONFIRMED"})
    second = guidance.documented(people, way)
    certified = guidance.decide(people, second["name"], "first", gas="ELEMENT_RATING_SHOWN")
    expect(certified["state"] == "STATE_CERTIFIED", f"the second case came to {certified['state']}")
    achieved = guidance.post(people.counsellor, f"{way}:achieve", {})
    expect(achieved["state"] == "STATE_ACHIEVED", f"the pathway is {achieved['state']}")
    level = certified["qualification"]["eqfLevel"]
    return f"assessed, {OFFER!r} offered for what was missing, certified at EQF {level}; pathway achieved"


def offer(people: guidance.People) -> str:
    """What somebody claims leaves a gap to the occupation; returns the course offered for it."""
    uris = occupations.know(people.journey)
    school = occupations.teach(people.journey, "offer", [OFFER])
    profile = occupations.claim(people.learner, people.holder, "grind-metal")
    body = {"occupation": uris[WELDER], "skills": profile["skills"], "among": {"organisations": [school]}}
    gap = occupations.ask(people.journey, "skillGap", body, OFFER)
    expect(bool(gap["heldSkills"]) and bool(gap["missingSkills"]), f"the gap is {gap}")
    (course,) = gap["courses"]
    (covered,) = [each["skill"] for each in course["coveredSkills"]]
    expect(covered == occupations.skill("tig-welding"), f"the course is for {covered}")
    return str(course["hit"]["course"])


STEP = Step("upskilling", "From a skills assessment over what is missing to recognition", ("P2",), show)
