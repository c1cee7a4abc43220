"""Upskilling in three steps as one flow: what somebody can do, what is offered for the rest, recognition."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import guidance

LEARNER = "Rosa"


def show(journey: Journey) -> str:
    """REST: a first case finds what is missing, a step agreed by both closes it, a second case certifies."""
    people = guidance.gather(journey, LEARNER)
    way = guidance.pathway(people)
    first = guidance.documented(people, way, gas="ELEMENT_RATING_NOT_SHOWN")
    partial = guidance.decide(people, first["name"], "first", gas="ELEMENT_RATING_NOT_SHOWN")
    (step,) = [each["step"] for each in partial["elements"] if each.get("step")]
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
    return f"assessed, one step for what was missing, then certified at EQF {level}; the pathway is achieved"


STEP = Step("upskilling", "From a skills assessment over what is missing to recognition", ("P2",), show)
