"""Dutch temporary voucher: capped, once per person, until the money is gone; then a waiting list."""

from __future__ import annotations

from typing import Any

from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.rows import ground
from services.cli.output import money

FIRST, NEXT, LATE = "Joost (V4)", "Marijke (V4)", "Sem (V4)"
COURSE = "HC-160-ANY"  # lorry driver, the dearest course of the walk's partner for an occupation in shortage
CAP = "2500.00"


def show(journey: Journey) -> str:
    """REST: the only money is granted once, the next waits, it comes back, and is offered to who waited."""
    session = ground.session_of(journey, COURSE)
    programme = ground.publish(
        journey,
        "dutch-temporary-training-voucher",
        short="temporary",
        funds={"KIND_STATE": CAP},
    ).programme
    for person in (FIRST, NEXT, LATE):
        ground.tell_facts(journey, person, employment_status="unemployed", education_level=3)
    granted = ground.apply(journey, FIRST, programme, session)
    expect(granted["state"] == "STATE_GRANTED", f"{granted['state']} for {granted.get('reasonCodes')}")
    worth = money(granted["amount"])
    expect(0 < float(worth.split()[0]) <= float(CAP), f"{worth}, and the cap is {CAP}")
    again = ground.apply(journey, FIRST, programme, journey.facts.session)
    expect("GRANTED_BEFORE" in again.get("reasonCodes", []), f"a second time gives {again['state']}")
    waiting = wait(journey, NEXT, programme, session)
    first = journey.person("learner", FIRST)
    first.rest("POST", f"/v1/{granted['voucher']}:cancel", {"requestId": request_id()})
    late = ground.apply(journey, LATE, programme, session)
    expect(late.get("reasonCodes") == ["BUDGET_EXHAUSTED"], f"who came later got {late['state']}")
    caller = journey.person("learner", NEXT)
    offered = journey.wait_for("the money is offered", lambda: offer(caller, waiting["name"]))
    accepted = caller.rest("POST", f"/v1/{offered['name']}:accept", {"requestId": request_id()})
    expect(accepted["state"] == "STATE_ACCEPTED", f"the offer ended as {accepted['state']}")
    voucher = caller.rest("GET", f"/v1/{accepted['voucher']}")
    return (
        f"{worth} of at most {CAP}, once for a person; then the pot of {CAP} held too little, the next "
        f"waited at place {waiting['position']} and got {money(voucher['value'])} when it came back, before "
        "who came later"
    )


def wait(journey: Journey, person: str, programme: str, session: str) -> dict[str, Any]:
    """The person applies, is refused for lack of money alone, and waits; returns the entry."""
    refused = ground.apply(journey, person, programme, session)
    expect(
        refused.get("reasonCodes") == ["BUDGET_EXHAUSTED"], f"{refused['state']} {refused.get('reasonCodes')}"
    )
    caller = journey.person("learner", person)
    return caller.rest("POST", f"/v1/{refused['name']}:wait", {"requestId": request_id()})


def offer(caller: Caller, entry: str) -> dict[str, Any] | None:
    """The entry once something is offered."""
    found = caller.rest("GET", f"/v1/{entry}")
    return found if found["state"] == "STATE_OFFERED" else None


STEP = Step(
    "temporary-voucher",
    "Dutch temporary voucher: capped, once per person, until the money is gone",
    ("V4",),
    show,
)
