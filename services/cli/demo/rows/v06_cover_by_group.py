"""Estonian cover: by target group, and a grant that employers share."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import cents
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.rows.ground import apply, check, deliver, publish, reserve, tell_facts
from services.cli.output import money

EMPLOYEE = "Kadri (V6)"
# Group by what the register knows, and the cover in percent.
COVER: dict[str, tuple[dict[str, Any], int]] = {
    "without-work": ({"employment_status": "unemployed", "education_level": 4}, 100),
    "low-skilled": ({"employment_status": "employed", "education_level": 3}, 100),
    "in-work": ({"employment_status": "employed", "education_level": 4}, 80),
}


def show(journey: Journey) -> str:
    """REST: the cover follows the group; an employer bears a share of its grant, paid on attendance."""
    cover = publish(journey, "estonian-training-cover", short="cover").programme
    session = journey.facts.session
    told = []
    for group, (facts, percent) in COVER.items():
        person = f"{group} (V6)"
        tell_facts(journey, person, **facts)
        answer = check(journey, person, cover, session)
        expect(answer.get("eligible", False), f"{group} is not eligible")
        expect(answer["targetGroup"] == group, f"{person} is in {answer['targetGroup']}")
        price = cents(answer["amount"]) + cents(answer.get("learnerShare", {}))
        expect(cents(answer["amount"]) * 100 == price * percent, f"{group}: {money(answer['amount'])}")
        told.append(f"{group} {percent} % {money(answer['amount'])}")
    grant = publish(journey, "estonian-employer-grant", short="grant").programme
    tell_facts(journey, EMPLOYEE, employment_status="employed", education_level=4)
    granted = apply(journey, EMPLOYEE, grant, session)
    expect(granted["state"] == "STATE_GRANTED", f"{granted['state']} {granted.get('reasonCodes')}")
    redemption = reserve(journey, EMPLOYEE, granted["voucher"], session)["name"]
    accepted = deliver(journey, redemption)
    expect(accepted["acceptedAmount"] == granted["amount"], "another amount was accepted than granted")
    return (
        f"{', '.join(told)}; employer grant {money(granted['amount'])} with "
        f"{money(granted['learnerShare'])} borne by the employer, accepted on attendance"
    )


STEP = Step(
    "cover-by-group", "Estonian cover: by target group, and a grant that employers share", ("V6",), show
)
