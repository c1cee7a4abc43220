"""What learners say of their training, and where they are after six months."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import ground, quality

# Each person's satisfaction, skills gained, and where the register says they are.
PEOPLE = (
    ("Ada (V15)", 5, 5, "EMPLOYED_IN_OCCUPATION"),
    ("Ben (V15)", 4, 5, "EMPLOYED_IN_OCCUPATION"),
    ("Cleo (V15)", 4, 4, "EMPLOYED_IN_OCCUPATION"),
    ("Dilan (V15)", 3, 4, "EMPLOYED"),
    ("Emre (V15)", 5, 4, "SEEKING"),
)


def show(journey: Journey) -> str:
    """REST: five learners give feedback, the register tells where they are, the report tells of no four."""
    programme = quality.publish(journey, "results", "20000.00")
    redemptions = [trained(journey, person, programme) for person, *_ in PEOPLE]
    for (person, satisfied, learned, status), redemption in zip(PEOPLE, redemptions, strict=True):
        if person == PEOPLE[-1][0]:
            few = report(journey, programme)
            expect(few.get("feedbackSuppressed", False), "the report tells of four people")
            expect(not few.get("satisfactionMean"), "a mean of four people is told")
        answer(journey, person, redemption, satisfied, learned, status)
    with refused("OUTCOME_NOT_DUE") as early:
        told = {"outcome": {"status": "STATUS_EMPLOYED"}, "requestId": request_id()}
        learner = journey.person("learner", PEOPLE[0][0])
        learner.rest("POST", f"/v1/{redemptions[0]}/outcome:report", told)
    found = report(journey, programme)
    expect(found.get("feedbackCount") == "5", f"feedback of {found.get('feedbackCount')}")
    expect(found.get("satisfactionMean") == 4.2, f"satisfaction is {found.get('satisfactionMean')}")
    at_work = int(found.get("employedInOccupation", 0))
    expect(at_work == 3, f"{at_work} work in the occupation")
    return (
        f"nothing told of 4; of 5: satisfaction {found['satisfactionMean']}, learned "
        f"{found['skillsGainedMean']}, {at_work} at work in the occupation, {found['employed']} in another, "
        f"{found['seeking']} seeking; {early.failure.reason} for a learner before six months"
    )


def trained(journey: Journey, person: str, programme: str) -> str:
    """A person's training takes place and is accepted; returns the redemption."""
    voucher = quality.granted(journey, person, programme)
    reserved = ground.reserve(journey, person, voucher, journey.facts.session)
    return str(ground.deliver(journey, reserved["name"])["name"])


def answer(journey: Journey, person: str, redemption: str, satisfied: int, learned: int, status: str) -> None:
    """The learner gives feedback, and the register tells where they are."""
    marks = {"satisfaction": satisfied, "skillsGained": learned}
    body = {"feedback": marks, "requestId": request_id()}
    journey.person("learner", person).rest("POST", f"/v1/{redemption}/feedback:give", body)
    told = {"outcome": {"status": f"STATUS_{status}"}, "requestId": request_id()}
    journey.person("system", "register").rest("POST", f"/v1/{redemption}/outcome:report", told)


def report(journey: Journey, programme: str) -> dict[str, Any]:
    """The programme's line of the report."""
    auditor = journey.person("auditor", "Wim")
    (group,) = auditor.rest("GET", "/v1/reports/learnerResults", programme=programme)["groups"]
    return dict(group)


STEP = Step(
    "learner-results",
    "What learners say of their training, and where they are after six months",
    ("V15",),
    show,
)
