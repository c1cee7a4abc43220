"""What several rows stand on: a sample programme with money, facts, applications, and a voucher spent."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.cli.amounts import json_date, json_money
from services.cli.client import Caller, request_id, sha256
from services.cli.demo import catalogue
from services.cli.demo.data import PLACE, SAMPLES
from services.cli.demo.journey import Journey, StepFailed, expect
from services.cli.demo.papers import certificate
from services.cli.demo.refusals import gather
from services.cli.exits import Failure
from services.cli.legal_day import legal_day
from services.cli.programme import read_programme

MAKER, CHECKER = "Ines", "Bram"
PROVIDER, CASEWORKER = "Sanne", "Noor"
Value = str | int | bool | date
Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Published:
    """A programme of this walk: resource names of it and of its version in force."""

    programme: str
    version: str


def publish(
    journey: Journey,
    sample: str,
    *,
    short: str,
    change: Change | None = None,
    funds: Mapping[str, str] | None = None,
) -> Published:
    """Puts a sample programme in force for this walk: drafted by one person, activated by another, funded.

    `sample`: file name in samples/programmes without `.json`; `short`: tells the row's programme from others;
    `change`: alters the version's JSON before it is drafted; `funds`: kind of source to amount, such as
    {"KIND_STATE": "5000.00"}, each in a pot of its own for this year. A shortage rule is tied to the walk's
    list.
    """
    maker = journey.person("programme_manager", MAKER)
    content = read_programme(SAMPLES / "programmes" / f"{sample}.json")
    version = of_today(journey, content["version"])
    if change:
        change(version)
    programme_id = f"{short}-{journey.run}"
    programme = maker.rest("POST", "/v1/programmes", content["programme"], programme_id=programme_id)["name"]
    in_force = put_in_force(journey, programme, version)
    for kind, amount in (funds or {"KIND_STATE": "10000.00"}).items():
        fund(journey, programme, kind, amount)
    return Published(programme, in_force)


def further(journey: Journey, programme: str, sample: str) -> str:
    """Puts a sample's rules in force, from today on, as a further version of a programme; its name."""
    content = read_programme(SAMPLES / "programmes" / f"{sample}.json")
    return put_in_force(journey, programme, of_today(journey, content["version"]))


def of_today(journey: Journey, version: Mapping[str, Any]) -> dict[str, Any]:
    """The rules in force from today, without a hold delay; a shortage rule is tied to the walk's list."""
    rules = copy.deepcopy(dict(version))
    rules["effectiveDate"] = json_date(legal_day())
    rules["holdRule"] = {"delayDays": 0}
    if "shortageRule" in rules:
        rules["shortageRule"] |= {"shortageList": journey.facts.shortage_list, "nutsCode": PLACE}
    return rules


def put_in_force(journey: Journey, programme: str, version: Mapping[str, Any]) -> str:
    """Drafts a version of a programme and has a second person activate it; returns its resource name."""
    maker = journey.person("programme_manager", MAKER)
    checker = journey.person("programme_manager", CHECKER)
    drafted = maker.rest("POST", f"/v1/{programme}/versions", version)
    active = checker.rest("POST", f"/v1/{drafted['name']}:activate", {"requestId": request_id()})
    expect(active["state"] == "STATE_ACTIVE", f"the version is {active['state']}")
    return str(active["name"])


def fund(
    journey: Journey, programme: str, kind: str, amount: str, *, groups: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Puts money of a source of `kind` into a pot of its own for this year; returns the budget with its pots.

    `groups`: target groups the pot is for, none: everyone.
    """
    maker = journey.person("programme_manager", MAKER)
    today = legal_day()
    short = kind.removeprefix("KIND_").lower().replace("_", "-")
    source = funding_source(maker, kind, f"{programme.split('/')[1]}-{short}"[:63].rstrip("-"))
    body = {
        "fundingSource": source,
        "startDate": json_date(today.replace(month=1, day=1)),
        "endDate": json_date(today.replace(month=12, day=31)),
        "pot": "-".join((short, *groups)),
        "targetGroups": list(groups),
        "amount": json_money(amount),
        "requestId": request_id(),
    }
    return maker.rest("POST", f"/v1/{programme}:fund", body)


def funding_source(maker: Caller, kind: str, short: str) -> str:
    """The funding source called `short`, made when it is not there yet; returns its resource name."""
    name = f"fundingSources/{short}"
    source = {"kind": kind, "displayNames": {"en": short}}
    try:
        maker.rest("POST", "/v1/fundingSources", source, funding_source_id=short)
    except Failure as failure:
        if failure.reason != "ALREADY_EXISTS":
            raise
    return name


def tell_facts(journey: Journey, person: str, **facts: Value) -> None:
    """The PES register tells facts, such as `education_level=3`, `employment_status="employed"`."""
    register = journey.person("system", "register")
    source = {"source": "FACT_SOURCE_PES_REGISTER"}
    told = [{"key": key, **source, **_typed(value)} for key, value in facts.items()]
    body = {"facts": told, "requestId": request_id()}
    register.rest("POST", f"/v1/{journey.learner(person)}/facts:push", body)


def bring_courses(journey: Journey, sample: str) -> None:
    """Imports another feed of the walk's partner, a file of samples/feeds; the courses before it stay."""
    manager = journey.person(catalogue.ROLE, "Mila")
    source = catalogue.new_source(manager, journey.facts.partner, "FEED_FORMAT_CSV_TEMPLATE")
    run = catalogue.run_feed(journey, source, SAMPLES / "feeds" / sample, dry=False)
    expect(run.state == catalogue.Run.STATE_SUCCEEDED, f"the run of {sample} ended {catalogue.states([run])}")


def session_of(journey: Journey, external_id: str) -> str:
    """Resource name of the session that the walk's partner itself calls so, such as `HC-190-ANY`."""
    anyone = journey.client.anonymous()
    query = {"organisation": journey.facts.partner, "page_size": 200}
    courses = anyone.rest("GET", "/v1/courses", **query).get("courses", [])
    for course in courses:
        for offering in course.get("offerings", []):
            for session in offering.get("sessions", []):
                if session["externalId"] == external_id:
                    return str(session["name"])
    raise StepFailed(f"{journey.facts.partner} has no session {external_id}")


def check(journey: Journey, person: str, programme: str, session: str) -> dict[str, Any]:
    """Asks in the person's name whether they may; waits until vouchers know the session."""
    caller = journey.person("learner", person)
    body = {"programme": programme, "session": session}

    def known() -> dict[str, Any] | None:
        try:
            return caller.rest("POST", f"/v1/{journey.learner(person)}:checkEligibility", body)
        except Failure as failure:
            if failure.reason == "SESSION_UNKNOWN":
                return None  # the catalogue's event is still on its way
            raise

    return journey.wait_for("vouchers hear of the session", known)


def apply(journey: Journey, person: str, programme: str, session: str, **declared: Value) -> dict[str, Any]:
    """The person applies, declaring facts if any; returns the application in JSON, however it came out."""
    check(journey, person, programme, session)
    application = {"learner": journey.learner(person), "programme": programme, "session": session}
    told = [{"key": key, **_typed(value)} for key, value in declared.items()]
    body = {"application": application, "declaredFacts": told, "requestId": request_id()}
    return journey.person("learner", person).rest("POST", "/v1/applications", body)


def book(journey: Journey, person: str, voucher: str, session: str, amount: str = "") -> dict[str, Any]:
    """The person reserves `amount` for a session with a voucher, all that it covers when empty; returns the
    redemption, which waits for their word."""
    caller = journey.person("learner", person)
    wanted = {"voucher": voucher, "session": session, "requestId": request_id()}
    part = {"amount": json_money(amount)} if amount else {}
    return caller.rest("POST", "/v1/redemptions:reserve", wanted | part)


def reserve(journey: Journey, person: str, voucher: str, session: str, amount: str = "") -> dict[str, Any]:
    """The person books and agrees to the spend; returns the redemption."""
    booked = book(journey, person, voucher, session, amount)
    caller = journey.person("learner", person)
    return caller.rest("POST", f"/v1/{booked['name']}:authorise", {"requestId": request_id()})


def deliver(journey: Journey, redemption: str) -> dict[str, Any]:
    """The training takes place: started, delivered with a paper, accepted; returns the redemption."""
    hand_in(journey, start(journey, redemption))
    return accept(journey, redemption)


def start(journey: Journey, redemption: str) -> str:
    """The training begins; returns the redemption's name."""
    provider = journey.person("provider", PROVIDER, journey.facts.partner)
    return str(provider.rest("POST", f"/v1/{redemption}:start", {"requestId": request_id()})["name"])


def hand_in(journey: Journey, redemption: str, *, kind: str = "KIND_ATTENDANCE", number: int = 1) -> None:
    """The provider delivers a started training, or its instalment `number`, with a paper of this `kind`."""
    provider = journey.person("provider", PROVIDER, journey.facts.partner)
    paper = certificate(f"{journey.run}-{redemption[-12:]}-{number}")
    ticket = {
        "sizeBytes": str(len(paper)),
        "contentType": "application/pdf",
        "sha256": sha256(paper),
        "kind": kind,
    }
    evidence = provider.rest("POST", f"/v1/{redemption}/evidence", ticket, request_id=request_id())
    provider.upload(evidence["uploadUri"], evidence.get("uploadHeaders", {}), paper)
    papers = {"evidence": [evidence["name"]], "requestId": request_id()}
    provider.rest("POST", f"/v1/{redemption}:deliver", papers)


def accept(journey: Journey, redemption: str, amount: str = "") -> dict[str, Any]:
    """A caseworker accepts `amount` of what was delivered, all that is allowed when empty; returns the
    redemption."""
    caseworker = journey.person("caseworker", CASEWORKER)
    part = {"amount": json_money(amount)} if amount else {}
    return caseworker.rest("POST", f"/v1/{redemption}:accept", {"requestId": request_id()} | part)


def expect_state(journey: Journey, redemption: str, state: str) -> None:
    """Raises StepFailed unless a redemption stands there."""
    found = journey.person("finance", "Eline").rest("GET", f"/v1/{redemption}")["state"]
    expect(found == state, f"{redemption} is {found}, expected {state}")


def pay(journey: Journey, kind: str = "KIND_REDEMPTIONS") -> dict[str, Any]:
    """Gathers, freezes and approves a batch of all of a kind that may be paid; returns it."""
    maker, checker = journey.person("finance", "Karim"), journey.person("finance", "Eline")
    name = gather(maker, kind)["name"]
    maker.rest("POST", f"/v1/{name}:freeze", {"requestId": request_id()})
    return checker.rest("POST", f"/v1/{name}:approve", {"requestId": request_id()})


def payment(batch: dict[str, Any], payee: str) -> dict[str, Any]:
    """What a batch pays to a payee."""
    for each in batch.get("payouts", []):
        if each["organisation"] == payee:
            return dict(each)
    raise StepFailed(f"{batch['name']} does not pay {payee}")


def _typed(value: Value) -> dict[str, Any]:
    """A fact's value in the JSON of its type."""
    if isinstance(value, bool):
        return {"flag": value}
    if isinstance(value, date):
        return {"date": json_date(value)}
    return {"number": str(value)} if isinstance(value, int) else {"text": value}
