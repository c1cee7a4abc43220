"""Validation in four stages: who guides does not assess, what is missing becomes steps, an appeal is heard by
another assessor, and what was shown is certified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.cli.amounts import in_days
from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows.ground import awarding_body, file_of, holder, verify

LEARNER, COUNSELLOR = "Idris", "Tess"
OFFICE = "organisations/office"
QUALIFICATION = "https://www.qualifications.example/welder"


@dataclass
class People:
    """Who takes part; the staff work for one awarding body."""

    journey: Journey
    learner: Caller
    counsellor: Caller
    assessor: Caller
    second: Caller
    head: Caller
    holder: str
    body: str

    def subject(self, person: str) -> str:
        """The opaque id of somebody."""
        return self.journey.subject(person)


def show(journey: Journey) -> str:
    """REST: from information to a certificate, over a partial recognition and an appeal."""
    people = gather(journey, LEARNER)
    case = documented(people, pathway(people))
    name = case["name"]
    near = {"assessor": people.subject(COUNSELLOR), "requestId": request_id()}
    with refused("ASSESSOR_NOT_INDEPENDENT"):
        people.head.rest("POST", f"/v1/{name}:assign", near)
    partial = decide(people, name, "first", gas="ELEMENT_RATING_NOT_SHOWN")
    steps = [each["step"] for each in partial["elements"] if each.get("step")]
    expect(partial["state"] == "STATE_PARTIAL" and len(steps) == 1, f"{partial['state']}, {len(steps)} steps")
    post(people.learner, f"{name}:appeal", {"grounds": "nobody let me light a torch"})
    with refused("SAME_PERSON"):
        post(people.head, f"{name}:assign", {"assessor": people.subject("first")})
    post(people.head, f"{name}:assign", {"assessor": people.subject("second")})
    rated = ratings(gas="ELEMENT_RATING_SHOWN")
    last = post(people.second, f"{name}:decide", {"assessments": rated})
    expect(last["state"] == "STATE_REDECIDED", f"the appeal came to {last['state']}")
    content = file_of(people.learner, last["credential"])
    expect(verify(journey, content)["state"] == "STATE_VALID", "the certificate is not valid")
    log = people.learner.rest("GET", f"/v1/{people.holder}/accessRecords")["accessRecords"]
    looks = [each for each in log if each["grant"] == name]
    return (
        f"one of two elements recognised, {len(steps)} step for the other; on appeal certified by "
        f"another assessor; the learner reads {len(looks)} looks of the awarding body"
    )


def gather(journey: Journey, person: str) -> People:
    """Somebody with a portfolio and a counsellor, and an awarding body with three of its staff."""
    learner, name = holder(journey, person)
    mandate = {
        "counsellor": journey.subject(COUNSELLOR),
        "organisation": OFFICE,
        "purpose": "MANDATE_PURPOSE_PATHWAY",
        "expireTime": in_days(90),
    }
    learner.rest("POST", f"/v1/{name}/mandates", mandate, request_id=request_id())
    organisation = f"organisations/yard-{person.lower()}-{journey.run}"
    body = awarding_body(journey, organisation, "Yard Guild")
    first, second, head = (
        journey.person("provider", each, organisation) for each in ("first", "second", "head")
    )
    counsellor = journey.person("counsellor", COUNSELLOR, OFFICE)
    return People(journey, learner, counsellor, first, second, head, name, body)


def pathway(people: People) -> str:
    """The counsellor draws up a pathway to the qualification; returns its name."""
    target = {"qualificationUri": QUALIFICATION, "eqfLevel": 4, "title": "Welder"}
    drawn = {"title": "From the dock to welding", "target": target}
    made = people.counsellor.rest("POST", f"/v1/{people.holder}/pathways", drawn, request_id=request_id())
    return str(made["name"])


def documented(people: People, way: str, gas: str = "ELEMENT_RATING_SHOWN") -> dict[str, Any]:
    """Opens a case, names two elements, documents them by a job and hands the case in; returns it."""
    wanted = {"pathway": way, "awardingBody": people.body, "nqfLevel": "VKS 4"}
    opened = people.learner.rest(
        "POST", f"/v1/{people.holder}/validationCases", wanted, request_id=request_id()
    )
    elements = [
        {"id": "arc", "title": "Arc welding", "creditPoints": 6},
        {"id": "gas", "title": "Gas welding", "creditPoints": 4},
    ]
    post(people.counsellor, f"{opened['name']}:identify", {"elements": elements})
    job = {"kind": "ENTRY_KIND_WORK", "title": "Shipyard hand"}
    entry = people.learner.rest("POST", f"/v1/{people.holder}/entries", job, request_id=request_id())
    documents = [
        {"element": "arc", "rating": "ELEMENT_RATING_SHOWN", "entries": [entry["name"]]},
        {"element": "gas", "rating": gas, "entries": [entry["name"]]},
    ]
    post(people.learner, f"{opened['name']}:document", {"documents": documents})
    return post(people.learner, f"{opened['name']}:submit", {})


def decide(people: People, name: str, assessor: str, *, gas: str) -> dict[str, Any]:
    """The head names an assessor, who sees the snapshot and decides; the head says so. Returns the case."""
    post(people.head, f"{name}:assign", {"assessor": people.subject(assessor)})
    seen = people.assessor.rest("GET", f"/v1/{name}:snapshot")
    expect(seen["entries"][0]["title"] == "Shipyard hand", "the snapshot lacks what was documented")
    decided = post(people.assessor, f"{name}:decide", {"assessments": ratings(gas=gas)})
    expect(decided["state"] == "STATE_DECIDED", f"the decision came to {decided['state']}")
    with refused("SAME_PERSON"):
        post(people.assessor, f"{name}:conclude", {})
    return post(people.head, f"{name}:conclude", {})


def ratings(*, gas: str) -> list[dict[str, str]]:
    """Arc welding is shown; gas welding as said."""
    return [{"element": "arc", "rating": "ELEMENT_RATING_SHOWN"}, {"element": "gas", "rating": gas}]


def post(caller: Caller, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Sends a custom method with a request id of its own."""
    return caller.rest("POST", f"/v1/{path}", body | {"requestId": request_id()})


STEP = Step("validation", "What was learnt at work is validated, and an appeal heard", ("P3",), show)
