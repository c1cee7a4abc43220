"""Validation in four stages: who guides does not assess, what is missing becomes steps, an appeal is heard by
another assessor, and what was shown is certified."""

from __future__ import annotations

from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import guidance
from services.cli.demo.portfolio_rows.ground import file_of, verify

LEARNER = "Idris"


def show(journey: Journey) -> str:
    """REST: from information to a certificate, over a partial recognition and an appeal."""
    people = guidance.gather(journey, LEARNER)
    case = guidance.documented(people, guidance.pathway(people))
    name = case["name"]
    near = {"assessor": people.subject(guidance.COUNSELLOR), "requestId": request_id()}
    with refused("ASSESSOR_NOT_INDEPENDENT"):
        people.head.rest("POST", f"/v1/{name}:assign", near)
    partial = guidance.decide(people, name, "first", gas="ELEMENT_RATING_NOT_SHOWN")
    steps = [each["step"] for each in partial["elements"] if each.get("step")]
    expect(partial["state"] == "STATE_PARTIAL" and len(steps) == 1, f"{partial['state']}, {len(steps)} steps")
    claims = people.learner.rest("GET", f"/v1/{people.holder}/skillClaims")["skillClaims"]
    said = [(each["source"], each["conceptUri"]) for each in claims]
    expect(said == [("SKILL_SOURCE_ASSESSOR", guidance.ARC)], f"the claims are {said}")
    guidance.post(people.learner, f"{name}:appeal", {"grounds": "nobody let me light a torch"})
    with refused("SAME_PERSON"):
        guidance.post(people.head, f"{name}:assign", {"assessor": people.subject("first")})
    guidance.post(people.head, f"{name}:assign", {"assessor": people.subject("second")})
    rated = guidance.ratings(gas="ELEMENT_RATING_SHOWN")
    last = guidance.post(people.second, f"{name}:decide", {"assessments": rated})
    expect(last["state"] == "STATE_REDECIDED", f"the appeal came to {last['state']}")
    content = file_of(people.learner, last["credential"])
    expect(verify(journey, content)["state"] == "STATE_VALID", "the certificate is not valid")
    log = people.learner.rest("GET", f"/v1/{people.holder}/accessRecords")["accessRecords"]
    looks = [each for each in log if each["grant"] == name]
    return (
        f"one of two elements recognised and its skill claimed, {len(steps)} step for the other; on appeal "
        f"certified by another assessor; the learner reads {len(looks)} looks of the awarding body"
    )


STEP = Step("validation", "What was learnt at work is validated, and an appeal heard", ("P3",), show)
