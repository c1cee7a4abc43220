"""A certified provider tests its whole path alone, before anybody's money is at stake."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import cents
from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import ground
from services.cli.legal_day import legal_day
from services.cli.output import money
from services.cli.statement import asked

RETURNED = "AC04"  # the bank: the account is closed


def show(journey: Journey) -> str:
    """REST: a provider plays learner, caseworker and bank, which returns the payment once; no staff may join,
    and nothing of it is among what is real."""
    partner = journey.facts.partner
    funds = {"KIND_SANDBOX": "10000.00 XTS"}
    programme = ground.publish(journey, "sandbox", short="sandbox", funds=funds).programme
    wanted = {"programme": programme, "session": journey.facts.session}
    made = post(journey, f"{partner}/sandboxVouchers", wanted)
    booked = post(journey, "redemptions:reserve", {"code": made["code"], "session": wanted["session"]})
    name = booked["name"]
    post(journey, f"{name}:authoriseSandbox")
    ground.hand_in(journey, ground.start(journey, name))
    with refused("SANDBOX_APART") as apart:
        ground.accept(journey, name)
    accepted = post(journey, f"{name}:acceptSandbox")["acceptedAmount"]
    returned = post(journey, f"{name}:paySandbox", {"returnCode": RETURNED})
    expect(returned["state"] == "STATE_ACCEPTED", f"what the bank returned is {returned['state']}")
    paid = post(journey, f"{name}:paySandbox")
    expect(paid["state"] == "STATE_PAID", f"the second time it is {paid['state']}")
    stated = statement(journey)
    sums = [cents(stated[each]) for each in ("paid", "returned")]
    expect(sums == [2 * cents(accepted), cents(accepted)], f"the statement has {sums} cents")
    provider = journey.person("provider", ground.PROVIDER, partner)
    real = provider.rest("GET", "/v1/redemptions", organisation=partner, page_size=500)["redemptions"]
    expect(name not in [each["name"] for each in real], "it is among what is real")
    return (
        f"{money(booked['amount'])} from a code over evidence to the bank, returned for {RETURNED} and paid "
        f"again, by the provider alone; {apart.failure.reason} for a caseworker, and nothing real has to do "
        "with it"
    )


def post(journey: Journey, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The provider makes a call."""
    provider = journey.person("provider", ground.PROVIDER, journey.facts.partner)
    return provider.rest("POST", f"/v1/{path}", {**(body or {}), "requestId": request_id()})


def statement(journey: Journey) -> dict[str, Any]:
    """The provider's statement of today in the currency that is no money."""
    provider = journey.person("provider", ground.PROVIDER, journey.facts.partner)
    today = legal_day().isoformat()
    return provider.rest("GET", f"/v1/{journey.facts.partner}/statement", **asked(today, today, "XTS"))


STEP = Step(
    "provider-sandbox", "A provider tests its whole path alone, in a currency that is no money", ("V7",), show
)
