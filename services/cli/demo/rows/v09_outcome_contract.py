"""BeCode bond: investors are repaid for results."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import json_date
from services.cli.client import request_id
from services.cli.demo.catalogue import bank_account
from services.cli.demo.data import SAMPLES
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import payables
from services.cli.demo.rows.ground import CASEWORKER, CHECKER, MAKER, funding_source, tell_facts
from services.cli.legal_day import legal_day
from services.cli.output import money
from services.cli.programme import read_json

OBSERVER, IBAN = "Eva", "BE68539007547034"
PEOPLE, PLACED = 450, 284  # 63.1 %


def show(journey: Journey) -> str:
    """REST: people take part, others verify what came of it, the operator is paid, investors are repaid."""
    operator = f"organisations/becode-{journey.run}"
    contract = _active(journey, operator)
    people = _enrol(journey, contract)
    _report(journey, contract, people, "COMPLETED", 300)
    _report(journey, contract, people, "PLACED", PLACED)
    finance, checker = journey.person("finance", "Joris"), journey.person("finance", "Eline")
    milestones = ("first-150", "all-450", "completed-300", "placed-284")
    for milestone in milestones:
        body = {"milestone": milestone, "requestId": request_id()}
        finance.rest("POST", f"/v1/{contract}:releaseTranche", body)
    bank_account(journey, operator, journey.person("provider", "Karel", operator), "BeCode", IBAN)
    released = payables.paid(journey, operator, [f"{contract}/milestones/{each}" for each in milestones])
    finance.rest("POST", f"/v1/{contract}:proposeRepayment", {"requestId": request_id()})
    with refused("SAME_PERSON"):
        finance.rest("POST", f"/v1/{contract}:approveRepayment", {"requestId": request_id()})
    repaid = checker.rest("POST", f"/v1/{contract}:approveRepayment", {"requestId": request_id()})
    observer = journey.person("observer", OBSERVER)
    shares = observer.rest("GET", f"/v1/{contract}/targetMix")["shares"]
    expect(all(share.get("met") for share in shares), "the target mix is not met")
    with refused("NOT_FOUND"):
        journey.person("observer", "stranger").rest("GET", f"/v1/{contract}")
    told = ", ".join(f"{share['code']} {share['shareBasisPoints'] / 100:.1f} %" for share in shares)
    back = " and ".join(money(each["repaid"]) for each in repaid["investors"])
    expect(money(repaid["released"]) == released, f"{released} left for the bank")
    return (
        f"{repaid['placed']} of {repaid['participants']} placed and verified; {len(milestones)} tranches "
        f"of {released} in the operator's line of the bank file; investors have back {back}; "
        f"observer sees {told}"
    )


def _active(journey: Journey, operator: str) -> str:
    """The sample's contract of this walk in force, its day of repayment today; returns its name."""
    maker, checker = (journey.person("programme_manager", name) for name in (MAKER, CHECKER))
    content = read_json(SAMPLES / "programmes" / "brussels-becode-bond.json", "outcomeContract")
    body: dict[str, Any] = content["outcomeContract"]
    body["operator"] = operator
    body["payer"] = funding_source(maker, "KIND_STATE", f"bond-payer-{journey.run}")
    for number, investor in enumerate(body["investors"]):
        investor["fundingSource"] = funding_source(maker, "KIND_INVESTOR", f"bond-{number}-{journey.run}")
    body["repayDate"] = json_date(legal_day())
    body["observers"] = [journey.subject(OBSERVER)]
    name = f"bond-{journey.run}"
    made = maker.rest("POST", "/v1/outcomeContracts", body, outcome_contract_id=name)
    checker.rest("POST", f"/v1/{made['name']}:activate", {"requestId": request_id()})
    return str(made["name"])


def _enrol(journey: Journey, contract: str) -> list[str]:
    """Enrols everybody, of whom every third is a woman and every fourth no citizen of the Union."""
    names = [f"bond {number}" for number in range(PEOPLE)]
    for number, name in enumerate(names):
        gender = "male" if number % 3 else "female"
        tell_facts(journey, name, gender=gender, third_country_national=number % 4 < 1)
        if number % 50 == 0:
            journey.tell(f"{number} of {PEOPLE} people")
    body = {"learners": [journey.learner(name) for name in names], "requestId": request_id()}
    caseworker = journey.person("caseworker", CASEWORKER)
    done = caseworker.rest("POST", f"/v1/{contract}/participants:enrol", body)
    return [participant["name"] for participant in done["participants"]]


def _report(journey: Journey, contract: str, people: list[str], outcome: str, count: int) -> None:
    body = {"outcome": f"PARTICIPANT_OUTCOME_{outcome}", "participants": people[:count]}
    found = {"date": json_date(legal_day()), "evidenceReference": f"list/{outcome.lower()}"}
    reporter, verifier = journey.person("caseworker", CASEWORKER), journey.person("caseworker", "Amal")
    reporter.rest("POST", f"/v1/{contract}:reportOutcomes", {**body, **found, "requestId": request_id()})
    with refused("SAME_PERSON"):
        reporter.rest("POST", f"/v1/{contract}:decideOutcomes", {**body, "requestId": request_id()})
    verifier.rest("POST", f"/v1/{contract}:decideOutcomes", {**body, "requestId": request_id()})


STEP = Step("outcome-contract", "BeCode bond: investors are repaid for results", ("V9",), show)
