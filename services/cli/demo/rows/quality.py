"""What the rows on quality share: a programme paid on attendance, and a person granted a voucher of it."""

from __future__ import annotations

from typing import Any

from services.cli.demo.journey import Journey, expect
from services.cli.demo.rows import ground

SAMPLE = "dutch-temporary-training-voucher"


def publish(journey: Journey, short: str, amount: str) -> str:
    """Puts a programme into force that pays on proof of attendance, with so much money; returns its name."""

    def attendance(version: dict[str, Any]) -> None:
        version["paymentRule"] = {"trigger": "TRIGGER_ATTENDANCE", "evidenceCount": 1}

    funds = {"KIND_STATE": amount}
    return ground.publish(journey, SAMPLE, short=short, change=attendance, funds=funds).programme


def granted(journey: Journey, person: str, programme: str) -> str:
    """A person out of work is granted a voucher for the walk's session; returns its name."""
    ground.tell_facts(journey, person, employment_status="unemployed", education_level=3)
    decided = ground.apply(journey, person, programme, journey.facts.session)
    expect(decided["state"] == "STATE_GRANTED", f"{decided['state']} {decided.get('reasonCodes')}")
    return str(decided["voucher"])
