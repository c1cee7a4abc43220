"""Every euro paid is traceable to its sources, and the EU's source is told what came of it."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import cents, day_query, json_money
from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import ground
from services.cli.legal_day import legal_day
from services.cli.output import money

LEARNER = "Tess"
SHARES = {"esf": ("KIND_EU_FUND", 4000), "state": ("KIND_STATE", 3500), "own": ("KIND_OWN", 2500)}


def show(journey: Journey) -> str:
    """REST: three sources bear a programme; a payout is traced to them, and a source to its payments; what
    was funded by mistake goes back; ESF+ indicators count who was trained."""
    maker = journey.person("programme_manager", ground.MAKER)
    sources = {
        ground.funding_source(maker, kind, f"v13-{journey.run}-{short}"): points
        for short, (kind, points) in SHARES.items()
    }

    def declare(version: dict[str, Any]) -> None:
        version["coFunding"] = [
            {"fundingSource": source, "basisPoints": points} for source, points in sources.items()
        ]

    published = ground.publish(journey, "shortage-training", short="v13", change=declare)
    ground.tell_facts(
        journey,
        LEARNER,
        employment_status="unemployed",
        education_level=5,
        residence_nuts="BE211",
        foreign_background="yes",
        minority="not_told",
    )
    session = ground.session_of(journey, "HC-101-ANY")
    granted = ground.apply(journey, LEARNER, published.programme, session)
    expect(granted["state"] == "STATE_GRANTED", f"the application is {granted['state']}")
    redemption = ground.reserve(journey, LEARNER, granted["voucher"], session)["name"]
    accepted = ground.deliver(journey, redemption)["acceptedAmount"]
    ground.pay(journey)
    traced = trace(journey, redemption)
    borne = {share["fundingSource"]: cents(share["amount"]) for share in traced["paymentShares"]}
    expect(borne.keys() == sources.keys(), f"borne by {', '.join(borne)}")
    expect(sum(borne.values()) == cents(accepted), f"the shares sum to {sum(borne.values())} cents")
    auditor = journey.person("auditor", "Wim")
    for source, part in borne.items():
        back = auditor.rest("GET", "/v1/paymentShares", funding_source=source)["paymentShares"]
        expect(
            [(share["redemption"], cents(share["amount"])) for share in back] == [(redemption, part)],
            f"{source} does not lead back to the payment",
        )
    told = " + ".join(money(share["amount"]) for share in traced["paymentShares"])
    counted = indicators(journey, published.programme, redemption)
    back_at_source = returned(journey, published.programme)
    return (
        f"{money(accepted)} paid = {told} of three sources, and from each of them back; {back_at_source} "
        f"funded by mistake is its source's again; {counted}"
    )


def trace(journey: Journey, redemption: str) -> dict[str, Any]:
    """The trace of a redemption's payout, found by its entry in the ledger."""
    auditor = journey.person("auditor", "Wim")
    entries = auditor.rest("GET", "/v1/ledger/entries", reference=redemption)["entries"]
    paid = [entry["transaction"] for entry in entries if entry["operation"] == "payout"]
    expect(bool(paid), "the ledger holds no payout")
    return auditor.rest("GET", f"/v1/ledger/transactions/{paid[0]}:trace")


def returned(journey: Journey, programme: str) -> str:
    """A nought too many is funded; one person proposes to give it back, another approves; how much."""
    budget = ground.fund(journey, programme, "KIND_OWN", "50000.00")["name"]
    maker, checker = (journey.person("programme_manager", name) for name in (ground.MAKER, ground.CHECKER))
    wanted = {"pot": "own", "amount": json_money("45000.00"), "reason": "a nought too many"}
    body = {"fundReturn": wanted, "requestId": request_id()}
    proposed = maker.rest("POST", f"/v1/{budget}/fundReturns", body)
    with refused("SAME_PERSON"):
        maker.rest("POST", f"/v1/{proposed['name']}:approve", {"requestId": request_id()})
    done = checker.rest("POST", f"/v1/{proposed['name']}:approve", {"requestId": request_id()})
    expect(done["state"] == "STATE_RETURNED", f"the return is {done['state']}")
    return money(done["amount"])


def indicators(journey: Journey, programme: str, redemption: str) -> str:
    """What the ESF+ hears of the one who was trained: at work upon leaving, and nothing told by choice."""
    leaving = {"leaving": {"status": "STATUS_AT_WORK", "qualified": True}, "requestId": request_id()}
    journey.person("learner", LEARNER).rest("POST", f"/v1/{redemption}/leaving:report", leaving)
    today = legal_day().isoformat()
    query: dict[str, Any] = {
        "programme": programme,
        **day_query("start_date", today),
        **day_query("end_date", today),
    }
    answer = journey.person("auditor", "Wim").rest("GET", "/v1/reports/esfIndicators", **query)
    found = {each["code"]: each for each in answer["indicators"]}
    for code in ("EECO01", "EECO02", "EECR03", "EECR04"):
        expect(found[code].get("participants") == "1", f"{code} counts {found[code].get('participants')}")
    withheld = [code for code, each in found.items() if each.get("suppressed")]
    expect(withheld == ["EECO14", "EECO15", "EECO16", "EECO17"], f"withheld is {', '.join(withheld)}")
    return f"ESF+: {len(found)} indicators, at work upon leaving 1, {len(withheld)} withheld of one person"


STEP = Step("co-funding", "Every euro paid is traceable to its sources", ("V13",), show)
