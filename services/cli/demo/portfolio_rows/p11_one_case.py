"""A one-stop shop: one case, several partner organisations, each of which sees what its mandate is for."""

from __future__ import annotations

from services.cli.client import Caller
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import guidance

LEARNER = "Timo"
YOUTH = "organisations/youth-centre"


def show(journey: Journey) -> str:
    """REST: the office leads the case and a youth centre takes part; what each reads of the other's notes."""
    people = guidance.gather(journey, LEARNER, purpose="GUIDANCE")
    guidance.mandate(journey, people.learner, people.holder, "CASE", counsellor="Aino", organisation=YOUTH)
    youth = journey.person("counsellor", "Aino", YOUTH)
    for caller, who in ((people.counsellor, "office"), (youth, "youth")):
        for visibility in ("SHARED", "PROFESSIONAL"):
            note = {"visibility": f"VISIBILITY_{visibility}", "text": f"{who} {visibility.lower()}"}
            guidance.add(caller, f"{people.holder}/guidanceNotes", note)
    shared = {"office shared", "youth shared"}
    office = {"office professional", "youth professional"}
    for caller, wanted in (
        (people.learner, shared),
        (people.counsellor, shared | office),
        (youth, shared | {"youth professional"}),
    ):
        read = notes_of(caller, people.holder)
        expect(read == wanted, f"read were {sorted(read)}, not {sorted(wanted)}")
    with refused("NOT_FOUND"):
        youth.rest("GET", f"/v1/{people.holder}/entries")
    disclosed = people.learner.rest("GET", f"/v1/{people.holder}/guidanceNotes:disclose")["guidanceNotes"]
    log = people.learner.rest("GET", f"/v1/{people.holder}/accessRecords")["accessRecords"]
    looks = [each for each in log if each.get("organisation") == YOUTH]
    expect(len(looks) == 3, f"{len(looks)} looks of the youth centre are in the log")
    open_now = people.learner.rest("GET", f"/v1/{people.holder}/consentReceipts?inForce=true")
    let_in = {each["organisation"] for each in open_now["consentReceipts"]}
    expect(len(let_in) == 2 and YOUTH in let_in, f"receipts name {sorted(let_in)}")
    return f"one case, 2 organisations; the person reads {len(shared)} notes, and all {len(disclosed)} by law"


def notes_of(caller: Caller, holder: str) -> set[str]:
    """What somebody reads of the notes in a case."""
    return {each["text"] for each in caller.rest("GET", f"/v1/{holder}/guidanceNotes")["guidanceNotes"]}


STEP = Step("one-case", "One case, and each partner sees its part", ("P11",), show)
