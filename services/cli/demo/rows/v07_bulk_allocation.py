"""APTIC: vouchers bought before are allocated in bulk; who has no app agrees to the spend by a code, and who
does not come costs a share."""

from __future__ import annotations

from typing import Any

from waymark.vouchers.v1.events_pb2 import AuthorisationCodeSent

from services.cli.amounts import cents
from services.cli.client import Caller, request_id, sha256
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows.ground import (
    PROVIDER,
    accept,
    book,
    deliver,
    publish,
    reserve,
    session_of,
    start,
    tell_facts,
)
from services.cli.output import money

SEEKERS = ("Ada", "Ben", "Cleo", "Dirk")
AT_WORK = "Eva"
WORKSHOP = "HC-110-B"
NO_SHOW_PERCENT = 30


def show(journey: Journey) -> str:
    """A file names jobseekers, one in work, and a line is no id: tried first, then done; a learner books and
    agrees to a workshop ahead, by a code that came over Kafka, takes another that goes on now; one is not
    there."""
    programme = publish(journey, "aptic-digital-voucher", short="aptic", change=_no_show_pays).programme
    for name in SEEKERS:
        tell_facts(journey, name, employment_status="unemployed")
    tell_facts(journey, AT_WORK, employment_status="employed")
    people = [journey.learner(name) for name in (*SEEKERS, AT_WORK)]
    office = journey.person("system", "register")
    file = ("learner\n" + "\n".join([*people, "not an id"]) + "\n").encode()
    allocation = _handed_over(office, programme, file)
    tried = _ran(journey, office, allocation, dry_run=True)
    expect(_counts(tried) == (4, 1, 1), f"a dry run found {_counts(tried)}")
    expect(not _wallet(journey, SEEKERS[0]), "a dry run gave somebody a voucher")
    done = _ran(journey, office, allocation, dry_run=False)
    expect(_counts(done) == (4, 1, 1), f"allocated, refused and unreadable are {_counts(done)}")
    wrong = office.rest("GET", f"/v1/{done['name']}/rows", outcome="OUTCOME_REFUSED")["rows"]
    (voucher,) = _wallet(journey, SEEKERS[0])
    booked = book(journey, SEEKERS[0], voucher["name"], session_of(journey, WORKSHOP))
    _agree(journey, booked["name"])
    with refused("NO_SHOW_TOO_EARLY"):
        _missed(journey, booked["name"])
    with refused("SESSION_NOT_STARTED"):
        start(journey, booked["name"])
    why = {"reasonCode": "END_REASON_SESSION_CHANGED", "requestId": request_id()}
    journey.person("learner", SEEKERS[0]).rest("POST", f"/v1/{booked['name']}:void", why)
    now = reserve(journey, SEEKERS[0], voucher["name"], journey.facts.session)
    paid = deliver(journey, now["name"])
    return (
        f"4 of 6 lines allocated for {money(done['allocation']['amount'])}, one refused for "
        f"{wrong[0]['reasonCodes'][0]}, one unreadable; a learner agreed to a workshop by a code read out, "
        f"which does not start before its day, and to one of now, for which {money(paid['acceptedAmount'])} "
        "was accepted; "
        f"{_absent(journey, SEEKERS[1])}"
    )


def _no_show_pays(version: dict[str, Any]) -> None:
    version["paymentRule"]["noShowPercent"] = NO_SHOW_PERCENT


def _absent(journey: Journey, person: str) -> str:
    """Somebody books, agrees and is not there: a share can be accepted, the rest is theirs again."""
    (voucher,) = _wallet(journey, person)
    missed = _missed(journey, reserve(journey, person, voucher["name"], journey.facts.session)["name"])
    expect(missed["state"] == "STATE_DELIVERED", f"a no-show is {missed['state']}")
    with refused("AMOUNT_TOO_HIGH"):
        accept(journey, missed["name"], money(missed["amount"]))
    accepted = accept(journey, missed["name"])["acceptedAmount"]
    (left,) = _wallet(journey, person)
    value = cents(voucher["value"])
    expect(cents(accepted) * 100 == value * NO_SHOW_PERCENT, f"{money(accepted)} was accepted")
    expect(cents(left["available"]) == value - cents(accepted), f"{money(left['available'])} is left")
    return f"who did not come cost {money(accepted)}, and has {money(left['available'])} on the voucher again"


def _missed(journey: Journey, redemption: str) -> dict[str, Any]:
    """The provider reports that the learner was not there; returns the redemption."""
    provider = journey.person("provider", PROVIDER, journey.facts.partner)
    return provider.rest("POST", f"/v1/{redemption}:noShow", {"requestId": request_id()})


def _agree(journey: Journey, redemption: str) -> None:
    """The workshop has a code sent; the back office reads it on Kafka for the learner, who reads it out."""
    provider = journey.person("provider", PROVIDER, journey.facts.partner)
    sent = provider.rest("POST", f"/v1/{redemption}:sendCode", {"requestId": request_id()})
    expect("code" not in sent, "the provider was shown the code")
    told = journey.wait_for(
        "the code is on Kafka", lambda: journey.watcher.newest(AuthorisationCodeSent, redemption)
    )
    with refused("AUTHORISATION_CODE_INVALID"):
        provider.rest("POST", f"/v1/{redemption}:authorise", {"requestId": request_id()})
    said = {"code": told.code.lower(), "requestId": request_id()}
    agreed = provider.rest("POST", f"/v1/{redemption}:authorise", said)
    expect(agreed["state"] == "STATE_AUTHORISED", f"with the code it is {agreed['state']}")


def _handed_over(office: Caller, programme: str, file: bytes) -> str:
    wanted = {"programme": programme, "sizeBytes": str(len(file)), "sha256": sha256(file)}
    made = office.rest("POST", "/v1/allocations", wanted | {"requestId": request_id()})
    office.upload(made["uploadUri"], made["uploadHeaders"], file)
    return str(made["name"])


def _ran(journey: Journey, office: Caller, allocation: str, *, dry_run: bool) -> dict[str, Any]:
    body = {"dryRun": dry_run, "requestId": request_id()}
    started = office.rest("POST", f"/v1/{allocation}:run", body)

    def ended() -> dict[str, Any] | None:
        found = office.rest("GET", f"/v1/{started['name']}")
        return None if found["state"] in ("STATE_QUEUED", "STATE_RUNNING") else found

    done = journey.wait_for("the rows are worked through", ended)
    expect(done["state"] == "STATE_SUCCEEDED", f"the run ended {done['state']} {done.get('reason', '')}")
    return done


def _counts(run: dict[str, Any]) -> tuple[int, int, int]:
    found = run["allocation"]
    names = ("allocatedCount", "refusedCount", "invalidCount")
    allocated, refused, invalid = (int(found.get(name, 0)) for name in names)
    return allocated, refused, invalid


def _wallet(journey: Journey, person: str) -> list[dict[str, Any]]:
    learner = journey.person("learner", person)
    found = learner.rest("GET", "/v1/vouchers", learner=journey.learner(person))
    return list(found.get("vouchers", []))


STEP = Step("bulk-allocation", "APTIC: vouchers bought before are allocated in bulk", ("V7",), show)
