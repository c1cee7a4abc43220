"""Guidance at a distance: each contact adds to what is known of needs, and the channel follows the person."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import guidance

LEARNER = "Lieve"


def show(journey: Journey) -> str:
    """REST: needs from the first contact on, met ones go, the person reads what was said."""
    people = guidance.gather(journey, LEARNER, purpose="GUIDANCE")
    contacts = (
        {
            "channel": "CONTACT_CHANNEL_EMAIL",
            "summary": "Asks what a welder earns",
            "needsFound": ["GUIDANCE_NEED_CAREER_CHOICE", "GUIDANCE_NEED_DIGITAL_SKILLS"],
            "preferredChannel": "CONTACT_CHANNEL_PHONE",
        },
        {
            "channel": "CONTACT_CHANNEL_PHONE",
            "summary": "Has decided to learn welding",
            "needsFound": ["GUIDANCE_NEED_TRAINING"],
            "needsMet": ["GUIDANCE_NEED_CAREER_CHOICE"],
        },
    )
    for contact in contacts:
        guidance.add(people.counsellor, f"{people.holder}/contactRecords", contact)
    case = people.learner.rest("GET", f"/v1/{people.holder}/guidanceCase")
    expect(case["preferredChannel"] == "CONTACT_CHANNEL_PHONE", f"suits {case.get('preferredChannel')}")
    needs = set(case["needs"])
    wanted = {"GUIDANCE_NEED_TRAINING", "GUIDANCE_NEED_DIGITAL_SKILLS"}
    expect(needs == wanted, f"needed are {sorted(needs)}")
    log = people.learner.rest("GET", f"/v1/{people.holder}/contactRecords")["contactRecords"]
    read = [each["summary"] for each in reversed(log)]
    expect(read == [each["summary"] for each in contacts], f"the person reads {read}")
    return f"{len(log)} contacts, from e-mail to phone; {len(needs)} needs left, one met"


STEP = Step("contact-log", "Contacts teach the case what is needed and how to meet", ("P9",), show)
