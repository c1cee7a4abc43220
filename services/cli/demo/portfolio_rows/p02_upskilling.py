"""Upskilling in three steps as one flow: what somebody can do, what is offered for the rest, recognition."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import p03_validation as validation

LEARNER = "Rosa"


def show(journey: Journey) -> str:
    """REST: a first case finds what is missing, a step agreed by both closes it, a second case certifies."""
    people = validation.gather(journey, LEARNER)
    way = validation.pathway(people)
    first = validation.documented(people, way, gas="ELEMENT_RATING_NOT_SHOWN")
    partial = validation.decide(people, first["name"], "first", gas="ELEMENT_RATING_NOT_SHOWN")
    (step,) = [each["step"] for each in partial["elements"] if each.get("step")]
    for caller in (people.learner, people.counsellor):
        validation.post(caller, f"{way}:agree", {})
    validation.post(people.learner, f"{way}:start", {})
    validation.post(people.learner, f"{step}:move", {"state": "STATE_EVIDENCE_SUBMITTED"})
    validation.post(people.counsellor, f"{step}:move", {"state": "STATE_CONFIRMED"})
    second = validation.documented(people, way)
    certified = validation.decide(people, second["name"], "first", gas="ELEMENT_RATING_SHOWN")
    expect(certified["state"] == "STATE_CERTIFIED", f"the second case came to {certified['state']}")
    achieved = validation.post(people.counsellor, f"{way}:achieve", {})
    expect(achieved["state"] == "STATE_ACHIEVED", f"the pathway is {achieved['state']}")
    level = certified["qualification"]["eqfLevel"]
    return f"assessed, one step for what was missing, then certified at EQF {level}; the pathway is achieved"


STEP = Step("upskilling", "From a skills assessment over what is missing to recognition", ("P2",), show)
