"""A pathway to a qualification that spells of work do not end, kept by one office after another."""

from __future__ import annotations

from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import guidance

LEARNER, HEIR, NEXT = "Selma", "Sven", "organisations/next-office"


def show(journey: Journey) -> str:
    """REST: ordered steps with an alternative, no circle; a spell of work beside; another office takes over
    when the learner accepts."""
    people = guidance.gather(journey, LEARNER)
    way = guidance.pathway(people)
    counsellor, learner = people.counsellor, people.learner
    first = add(people, way, {"kind": "KIND_DOCUMENT", "title": "Residence permit"})
    course = {"kind": "KIND_COURSE", "title": "Welding course", "alternativesLabel": "skill"}
    add(people, way, course | {"prerequisites": [first]})
    work = {"kind": "KIND_PRACTICE", "title": "A year at a yard", "alternativesLabel": "skill"}
    last = add(people, way, work | {"prerequisites": [first]})
    with refused("PATHWAY_CYCLE"):
        learner.rest("PATCH", f"/v1/{first}", {"prerequisites": [last]})
    for caller in (learner, counsellor):
        guidance.post(caller, f"{way}:agree", {})
    guidance.post(learner, f"{way}:start", {})
    job = {"kind": "KIND_EMPLOYED", "startDate": {"year": 2026, "month": 9, "day": 1}}
    beside = guidance.post(learner, f"{way}:addSpell", {"spell": job})
    expect(beside["state"] == "STATE_ACTIVE", f"a spell of work left the pathway {beside['state']}")
    paper = learner.rest_bytes("POST", f"/v1/{way}:pass", {"languageCode": "nl"})
    expect(paper.startswith(b"%PDF-"), "the printable pass is no PDF")
    heir = hand_over(people, way)
    for name in (first, last):
        guidance.post(learner, f"{name}:move", {"state": "STATE_EVIDENCE_SUBMITTED"})
        guidance.post(heir, f"{name}:move", {"state": "STATE_CONFIRMED"})
    achieved = guidance.post(heir, f"{way}:achieve", {})
    expect(achieved["state"] == "STATE_ACHIEVED", f"the pathway is {achieved['state']}")
    return (
        "3 steps, one of them an alternative, a spell of work beside; a second office saw it to its end, "
        f"the pass has {len(paper)} bytes"
    )


def add(people: guidance.People, way: str, step: dict[str, object]) -> str:
    """The counsellor adds a step; returns its name."""
    steps = guidance.post(people.counsellor, f"{way}:addStep", {"step": step})["steps"]
    return str(steps[-1]["name"])


def hand_over(people: guidance.People, way: str) -> Caller:
    """The counsellor hands over to one of another office; returns that one, once the learner accepted."""
    (given,) = people.learner.rest("GET", f"/v1/{people.holder}/mandates")["mandates"]
    heir = people.journey.person("counsellor", HEIR, NEXT)
    wanted = {"mandate": given["name"], "counsellor": people.subject(HEIR), "organisation": NEXT}
    path = f"/v1/{people.holder}/handovers"
    offer = people.counsellor.rest("POST", path, wanted, request_id=request_id())["name"]
    with refused("NOT_FOUND"):
        heir.rest("GET", f"/v1/{way}")
    guidance.post(people.learner, f"{offer}:accept", {})
    with refused("NOT_FOUND"):
        people.counsellor.rest("GET", f"/v1/{way}")
    return heir


STEP = Step("qualification-pass", "A pathway outlives a job and a change of office", ("P1",), show)
