"""Career guidance: a second voucher only after the first is used, and new rules only for who comes anew."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.rows import ground
from services.cli.output import money

PERSON, NEWCOMER = "Milan (V2)", "Aylin (V2)"
SESSIONS = ("HG-201-ANY", "HG-202-ANY", "HG-203-ANY")


def show(journey: Journey) -> str:
    """REST: a fixed share of the citizen; the second is refused, then granted once the first is spent, by the
    rules of the first, while a newcomer is judged by a later version."""
    programme = ground.publish(journey, "flemish-career-guidance-voucher", short="guidance").programme
    ground.bring_courses(journey, "harbour-guidance.csv")
    first_session, second_session, third_session = (ground.session_of(journey, each) for each in SESSIONS)
    ground.tell_facts(journey, PERSON, employment_status="employed")
    first = ground.apply(journey, PERSON, programme, first_session)
    expect(first["state"] == "STATE_GRANTED", f"the first is {first['state']} {first.get('reasonCodes')}")
    early = ground.apply(journey, PERSON, programme, second_session)
    expect(early["state"] == "STATE_REFUSED", f"a second beside it is {early['state']}")
    expect(early["reasonCodes"] == ["EARLIER_VOUCHER_UNUSED"], f"refused for {early['reasonCodes']}")
    reserved = ground.reserve(journey, PERSON, first["voucher"], first_session)
    spent = ground.deliver(journey, reserved["name"])
    later = ground.further(journey, programme, "flemish-career-guidance-voucher-newcomers")
    second = ground.apply(journey, PERSON, programme, second_session)
    expect(second["state"] == "STATE_GRANTED", f"the second is {second['state']} {second.get('reasonCodes')}")
    expect(
        second["programmeVersion"] == first["programmeVersion"], "the second is decided by another version"
    )
    ground.tell_facts(journey, NEWCOMER, employment_status="employed")
    anew = ground.apply(journey, NEWCOMER, programme, second_session)
    expect(anew.get("programmeVersion") == later, f"a newcomer is decided by {anew.get('programmeVersion')}")
    expect(anew["learnerShare"] != second["learnerShare"], "a newcomer pays what the others pay")
    third = ground.check(journey, PERSON, programme, third_session)
    codes = {each.get("reasonCode", "") for each in third["clauses"]}
    expect("GRANT_LIMIT_REACHED" in codes, f"a third is checked against {sorted(codes)}")
    return (
        f"{money(first['amount'])} of the first, the citizen pays {money(first['learnerShare'])}; a second "
        f"was refused for {early['reasonCodes'][0]}, and granted with {money(second['amount'])} once "
        f"{money(spent['acceptedAmount'])} was spent, by the version of the first; a newcomer pays "
        f"{money(anew['learnerShare'])} by the next one; a third: GRANT_LIMIT_REACHED"
    )


STEP = Step(
    "career-guidance",
    "Career guidance: a second voucher only after the first is used; new rules for newcomers",
    ("V2",),
    show,
)
