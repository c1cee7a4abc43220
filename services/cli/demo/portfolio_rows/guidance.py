"""People of whom several rows tell: a learner with a counsellor, an awarding body with its staff, and what
they do with a pathway and a case of validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.cli.amounts import in_days
from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, expect, refused
from services.cli.demo.portfolio_rows.ground import awarding_body, holder

COUNSELLOR = "Tess"
OFFICE = "organisations/office"
ARC = "http://data.europa.eu/esco/skill/arc-welding"
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


def gather(journey: Journey, person: str, *, purpose: str = "PATHWAY", on_behalf: bool = False) -> People:
    """Somebody with a portfolio and a counsellor, and an awarding body with three of its staff."""
    learner, name = holder(journey, person)
    organisation = f"organisations/yard-{person.lower()}-{journey.run}"
    body = awarding_body(journey, organisation, "Yard Guild")
    first, second, head = (
        journey.person("provider", each, organisation) for each in ("first", "second", "head")
    )
    counsellor = journey.person("counsellor", COUNSELLOR, OFFICE)
    mandate(journey, learner, name, purpose, on_behalf=on_behalf)
    return People(journey, learner, counsellor, first, second, head, name, body)


def mandate(
    journey: Journey,
    learner: Caller,
    name: str,
    purpose: str,
    *,
    counsellor: str = COUNSELLOR,
    organisation: str = OFFICE,
    on_behalf: bool = False,
    questionnaire: str = "",
    parts: Sequence[str] = (),
) -> str:
    """The learner, whose portfolio is `name`, gives somebody a mandate of ninety days, for the special
    categories of a `questionnaire` where one is given, and for some `parts` alone where they are; returns its
    name."""
    wanted = {
        "counsellor": journey.subject(counsellor),
        "organisation": organisation,
        "purpose": f"MANDATE_PURPOSE_{purpose}",
        "expireTime": in_days(90),
        "actOnBehalf": on_behalf,
        "questionnaire": questionnaire,
        "parts": [f"MANDATE_PART_{part}" for part in parts],
    }
    return str(add(learner, f"{name}/mandates", wanted)["name"])


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
        {"id": "arc", "title": "Arc welding", "creditPoints": 6, "skillUris": [ARC]},
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


def add(caller: Caller, path: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Creates a resource with a request id of its own; returns it."""
    return caller.rest("POST", f"/v1/{path}", resource, request_id=request_id())
