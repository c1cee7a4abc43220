"""Upskill: several payers, and trainees whom the employer hires."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.cli.amounts import json_date
from services.cli.client import request_id
from services.cli.demo.data import SAMPLES
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import payables
from services.cli.demo.rows.ground import CASEWORKER, MAKER, funding_source
from services.cli.legal_day import legal_day
from services.cli.output import money
from services.cli.programme import read_json

TRAINEES, HIRED = 10, 7


def show(journey: Journey) -> str:
    """REST: three payers share trainings that a batch pays; the employer owes for those it does not hire."""
    employer = f"organisations/acme-{journey.run}"
    obligation, cost = _promise(journey, employer)
    caseworker, verifier = journey.person("caseworker", CASEWORKER), journey.person("caseworker", "Amal")
    finance, staff = journey.person("finance", "Joris"), journey.person("employer", "Petra", employer)
    learners = [journey.learner(f"trainee {number}") for number in range(TRAINEES)]
    provider = journey.facts.partner
    body = {"learners": learners, "cost": cost, "provider": provider, "requestId": request_id()}
    people = caseworker.rest("POST", f"/v1/{obligation}/trainees:enrol", body)["trainees"]
    names = [trainee["name"] for trainee in people]
    finance.rest("POST", f"/v1/{obligation}/trainees:approve", _of(names))
    trained = payables.paid(journey, provider, names)
    yesterday = json_date(legal_day() - timedelta(days=1))
    hired = _of(names[:HIRED]) | {"date": yesterday, "evidenceReference": "contracts/2026-1"}
    staff.rest("POST", f"/v1/{obligation}/trainees:reportHirings", hired)
    verifier.rest("POST", f"/v1/{obligation}/trainees:decideHirings", _of(names[:HIRED]))
    owed = finance.rest("POST", f"/v1/{obligation}:assess", {"requestId": request_id()})
    expect(owed["state"] == "STATE_OWED", f"the promise is {owed['state']}")
    payment = {"amount": owed["owed"], "requestId": request_id()}
    settled = finance.rest("POST", f"/v1/{obligation}:recordPayment", payment)
    expect(settled["state"] == "STATE_SETTLED", f"after payment the promise is {settled['state']}")
    with refused("NOT_FOUND"):
        journey.person("employer", "Otto", "organisations/elsewhere").rest("GET", f"/v1/{obligation}")
    parts = " + ".join(money(part["amount"]) for part in people[0]["parts"])
    return (
        f"each training costs {money(cost)} = {parts} of three payers; {owed['traineeCount']} trained, "
        f"{trained} to the provider in the bank file; {owed['requiredCount']} to hire, "
        f"{owed['hiredCount']} hired: {money(owed['owed'])} owed and paid"
    )


def _of(names: list[str]) -> dict[str, Any]:
    return {"trainees": names, "requestId": request_id()}


def _promise(journey: Journey, employer: str) -> tuple[str, dict[str, Any]]:
    """The sample's promise of this walk, due yesterday, and what a training costs."""
    maker = journey.person("programme_manager", MAKER)
    content = read_json(
        SAMPLES / "programmes" / "portuguese-upskill.json", "employerObligation", "traineeCost"
    )
    body: dict[str, Any] = content["employerObligation"] | {"employer": employer}
    kinds = ("KIND_STATE", "KIND_EU_FUND", "KIND_OWN")
    for kind, payer in zip(kinds, body["payers"], strict=True):
        short = kind.removeprefix("KIND_").lower().replace("_", "-")
        payer["fundingSource"] = funding_source(maker, kind, f"upskill-{short}-{journey.run}")
    body["creditor"] = body["payers"][0]["fundingSource"]
    body["dueDate"] = json_date(legal_day() - timedelta(days=1))
    made = maker.rest("POST", "/v1/employerObligations", body, request_id=request_id())
    return str(made["name"]), content["traineeCost"]


STEP = Step(
    "employer-obligation", "Upskill: several payers, and trainees whom the employer hires", ("V10",), show
)
