"""Flemish training voucher: what is covered depends on the group; a refusal is appealed against."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import ground
from services.cli.output import money

FREE, HALF, REFUSED = "Lotte (V1)", "Daan (V1)", "Femke (V1)"
FIRST, SECOND = "Noor", "Jonas"
SHARES = {FREE: ("below-upper-secondary", 3), HALF: ("everyone-else", 5)}


def show(journey: Journey) -> str:
    """REST: two groups get different cover; a refused person gets a letter and is granted on appeal."""
    programme = ground.publish(journey, "flemish-training-voucher", short="training").programme
    session = journey.facts.session
    told = []
    for person, (group, level) in SHARES.items():
        ground.tell_facts(journey, person, employment_status="employed", education_level=level)
        granted = ground.apply(journey, person, programme, session)
        expect(granted["state"] == "STATE_GRANTED", f"{granted['state']} {granted.get('reasonCodes')}")
        expect(granted["targetGroup"] == group, f"{person} is in {granted['targetGroup']}")
        told.append(f"{group} {money(granted['amount'])}")
    return f"{', '.join(told)}; {appeal(journey, programme, session)}"


def appeal(journey: Journey, programme: str, session: str) -> str:
    """Refused by a caseworker, told by letter, appealed, granted by another person."""
    learner = journey.person("learner", REFUSED)
    ground.tell_facts(journey, REFUSED, education_level=4)
    name = ground.apply(journey, REFUSED, programme, session, employment_status="employed")["name"]
    decision = {"reason": "no proof of work", "reasonCodes": ["NOT_IN_WORK"]}
    refusal = decide(journey, FIRST, f"{name}:decide", {**decision, "grant": False})
    expect(refusal["state"] == "STATE_REFUSED", f"the application is {refusal['state']}")
    letter = learner.rest_bytes("GET", f"/v1/{name}:letter", format="FORMAT_PDF", language_code="nl")
    expect(letter.startswith(b"%PDF-"), "the letter is no PDF")
    page = learner.rest_bytes("GET", f"/v1/{name}:letter", format="FORMAT_HTML", language_code="nl").decode()
    for part in ('lang="nl"', "Training voucher decree, article 2", "De laatste dag daarvoor is"):
        expect(part in page, f"the letter does not say {part}")
    learner.rest("POST", f"/v1/{name}:appeal", {"grounds": "here is my contract", "requestId": request_id()})
    mended = {"grant": True, "reason": "contract seen"}
    with refused("SAME_PERSON") as first:
        decide(journey, FIRST, f"{name}:decideAppeal", mended)
    granted = decide(journey, SECOND, f"{name}:decideAppeal", mended)
    expect(granted["state"] == "STATE_GRANTED", f"the appeal ended {granted['state']}")
    until = "{year}-{month:02d}-{day:02d}".format(**refusal["appealUntilDate"])
    return (
        f"refused for {', '.join(refusal['reasonCodes'])}, letter in Dutch ({len(letter)} bytes), appeal "
        f"until {until}: {first.failure.reason} for who refused, another grants {money(granted['amount'])}"
    )


def decide(journey: Journey, person: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A caseworker decides."""
    caseworker = journey.person("caseworker", person)
    return caseworker.rest("POST", f"/v1/{path}", {**body, "requestId": request_id()})


STEP = Step(
    "training-voucher", "Flemish training voucher: what is covered depends on the group", ("V1",), show
)
