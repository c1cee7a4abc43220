"""Estonian degree study: paid in instalments while the study goes on."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import cents
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import ground
from services.cli.output import money

STUDENT = "Liis (V6)"
DEGREE = "HD-301-ANY"


def show(journey: Journey) -> str:
    """REST: each instalment is delivered and accepted by itself; the first is paid before the study ends."""
    programme = ground.publish(journey, "estonian-degree-study", short="degree").programme
    ground.bring_courses(journey, "harbour-degree.csv")
    session = ground.session_of(journey, DEGREE)
    ground.tell_facts(journey, STUDENT, education_level=4)
    granted = ground.apply(journey, STUDENT, programme, session)
    expect(granted["state"] == "STATE_GRANTED", f"{granted['state']} {granted.get('reasonCodes')}")
    reserved = ground.reserve(journey, STUDENT, granted["voucher"], session)
    planned = [each["amount"] for each in reserved.get("instalments", [])]
    expect(len(planned) == 4, f"it is to be paid in {len(planned)} instalments")
    study = ground.start(journey, reserved["name"])
    first = accepted(journey, study, 1)["instalments"][0]["redemption"]
    ground.pay(journey)
    ground.expect_state(journey, first, "STATE_PAID")
    ground.expect_state(journey, study, "STATE_STARTED")
    ground.hand_in(journey, study, number=2)
    with refused("AMOUNT_TOO_HIGH"):
        ground.accept(journey, study, money(reserved["amount"]))
    ground.accept(journey, study)
    accepted(journey, study, 3)
    last = accepted(journey, study, 4, kind="KIND_COMPLETION")
    expect(last["state"] == "STATE_ACCEPTED", f"after the last the study is {last['state']}")
    parts = [each["acceptedAmount"] for each in last["instalments"]]
    expect(parts == planned, "other amounts were accepted than planned")
    expect(sum(map(cents, parts)) == cents(reserved["amount"]), "the instalments do not sum to the whole")
    return (
        f"{money(reserved['amount'])} = {' + '.join(map(money, parts))}, each on its own evidence; the first "
        "was paid before the study ended, and more than an instalment is refused"
    )


def accepted(journey: Journey, study: str, number: int, kind: str = "KIND_ATTENDANCE") -> dict[str, Any]:
    """An instalment is delivered and accepted; returns the redemption."""
    ground.hand_in(journey, study, kind=kind, number=number)
    return ground.accept(journey, study)


STEP = Step("degree-study", "Estonian degree study: paid in instalments while it goes on", ("V6",), show)
