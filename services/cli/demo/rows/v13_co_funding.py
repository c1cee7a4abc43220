"""Every euro paid is traceable to its sources."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import cents
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.rows import ground
from services.cli.output import money

LEARNER = "Tess"
SHARES = {"esf": ("KIND_EU_FUND", 4000), "state": ("KIND_STATE", 3500), "own": ("KIND_OWN", 2500)}


def show(journey: Journey) -> str:
    """REST: three sources bear a programme; a payout is traced to them, and a source to its payments."""
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
        journey, LEARNER, employment_status="unemployed", education_level=5, residence_nuts="BE211"
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
    return f"{money(accepted)} paid = {told} of three sources, and from each of them back"


def trace(journey: Journey, redemption: str) -> dict[str, Any]:
    """The trace of a redemption's payout, found by its entry in the ledger."""
    auditor = journey.person("auditor", "Wim")
    entries = auditor.rest("GET", "/v1/ledger/entries", reference=redemption)["entries"]
    paid = [entry["transaction"] for entry in entries if entry["operation"] == "payout"]
    expect(bool(paid), "the ledger holds no payout")
    return auditor.rest("GET", f"/v1/ledger/transactions/{paid[0]}:trace")


STEP = Step("co-funding", "Every euro paid is traceable to its sources", ("V13",), show)
