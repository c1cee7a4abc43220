"""Chapter 2: public money with rules, and what is known of the learner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf.json_format import Parse
from waymark.vouchers.v1 import learner_fact_pb2, learner_fact_pb2_grpc

from services.cli.amounts import json_date, json_money
from services.cli.client import request_id
from services.cli.demo.data import PLACE
from services.cli.demo.journey import Journey, Step, expect
from services.cli.exits import Failure
from services.cli.legal_day import legal_day
from services.cli.output import money
from services.cli.programme import read_programme

ROLE = "programme_manager"
LEARNER = "Anouk"


def publish_programme(journey: Journey) -> str:
    """REST: rules are drafted by one person, put into force by another, and paid for from two sources."""
    maker, checker = journey.person(ROLE, "Ines"), journey.person(ROLE, "Bram")
    content = rules_of(journey)
    programme = maker.rest("POST", "/v1/programmes", content["programme"], programme_id=f"demo-{journey.run}")
    version = maker.rest("POST", f"/v1/{programme['name']}/versions", content["version"])
    active = checker.rest("POST", f"/v1/{version['name']}:activate", {"requestId": request_id()})
    expect(active["state"] == "STATE_ACTIVE", f"the version is {active['state']}")
    today = legal_day()
    sources = {"state": ("KIND_STATE", "30000.00"), "esf": ("KIND_EU_FUND", "20000.00")}
    pots: list[dict[str, Any]] = []
    for short, (kind, amount) in sources.items():
        source = {"kind": kind, "displayNames": {"en": f"{short} money"}}
        named = maker.rest("POST", "/v1/fundingSources", source, funding_source_id=f"{short}-{journey.run}")
        budget = {
            "fundingSource": named["name"],
            "startDate": json_date(today.replace(month=1, day=1)),
            "endDate": json_date(today.replace(month=12, day=31)),
            "pot": f"{short}-pot",
            "amount": json_money(amount),
            "requestId": request_id(),
        }
        pots = maker.rest("POST", f"/v1/{programme['name']}:fund", budget)["pots"]
    journey.facts.programme = programme["name"]
    journey.facts.version = version["name"]
    told = ", ".join(f"{pot['code']} {money(pot['available'])}" for pot in pots)
    return f"{len(content['version']['clauses'])} clauses in force; {told}"


def rules_of(journey: Journey) -> dict[str, Any]:
    """The sample programme, tied to this walk's shortage list, in force from today, without a hold delay."""
    content = read_programme(journey.data.programme)
    version = content["version"]
    version["effectiveDate"] = json_date(legal_day())
    version["shortageRule"]["shortageList"] = journey.facts.shortage_list
    version["shortageRule"]["nutsCode"] = PLACE
    version["holdRule"] = {"delayDays": 0}
    return content


def push_facts(journey: Journey) -> str:
    """gRPC: the back office pushes what its register says about the learner."""
    facts = push(journey, LEARNER, journey.data.facts_out_of_work)
    return ", ".join(fact.key for fact in facts) + " from the register"


def push(journey: Journey, person: str, file: Path) -> list[Any]:
    """Pushes the facts of a JSON file about a person as the PES register; returns them as stored."""
    request = Parse(file.read_text(encoding="utf-8"), learner_fact_pb2.PushLearnerFactsRequest())
    request.parent, request.request_id = journey.learner(person), request_id()
    back_office = journey.person("system", "register")
    return list(
        back_office.stub(learner_fact_pb2_grpc.LearnerFactServiceStub).PushLearnerFacts(request).facts
    )


def check_eligibility(journey: Journey) -> str:
    """REST: the learner asks; every clause is named with its outcome, and nothing is stored."""
    answer = check(journey, LEARNER, journey.facts.session)
    clauses = answer["clauses"]
    failed = [clause["clause"] for clause in clauses if clause["outcome"] != "OUTCOME_PASSED"]
    expect(answer.get("eligible", False), f"not eligible because of {', '.join(failed)}")
    expect(answer.get("automatic", False), "verified facts should decide alone")
    expect(answer.get("shortageListVersion") == journey.facts.shortage_version, "by another shortage list")
    journey.facts.amount = answer["amount"]
    checks = journey.person("learner", LEARNER).rest(
        "POST",
        f"/v1/{journey.learner(LEARNER)}:checkProgrammes",
        {"session": journey.facts.session, "pageSize": 50},
    )
    paying = {each["programme"] for each in checks.get("checks", []) if each["outcome"].get("eligible")}
    expect(bool(paying) or "nextPageToken" in checks, "no programme would pay for the session")
    return (
        f"{len(clauses)} clauses hold; worth {money(answer['amount'])}, the learner pays "
        f"{money(answer.get('learnerShare', {'currencyCode': 'EUR'}))}"
    )


def check(journey: Journey, person: str, session: str) -> dict[str, Any]:
    """Asks in the person's name about a voucher for a session; waits until vouchers know the session."""
    caller = journey.person("learner", person)
    body = {"programme": journey.facts.programme, "session": session}

    def known() -> dict[str, Any] | None:
        try:
            return caller.rest("POST", f"/v1/{journey.learner(person)}:checkEligibility", body)
        except Failure as failure:
            if failure.reason == "SESSION_UNKNOWN":
                return None  # the catalogue's event is still on its way
            raise

    return journey.wait_for("vouchers hear of the session", known)


PROGRAMME = Step(
    "programme-funded", "A programme is put into force and funded", ("V1", "V4", "V13"), publish_programme
)
FACTS = Step("facts-pushed", "The register tells what it knows of the learner", ("V1", "V4"), push_facts)
CHECK = Step("eligibility-checked", "The learner asks: may I?", ("V1", "V3", "V4"), check_eligibility)
