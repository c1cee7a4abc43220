"""A provider cancels what is booked: the step is planned again, the counsellor hears, the money is back."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import json_day
from services.cli.client import Caller, request_id
from services.cli.demo import catalogue
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import guidance
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.rows import ground
from services.cli.output import money

LEARNER, SESSION = "Wout", "HG-201-ANY"


def show(journey: Journey) -> str:
    """REST: a session is booked with a voucher and cancelled by its provider; events do the rest."""
    session = offered(journey)
    course = session.partition("/sessions/")[0]
    learner = journey.person("learner", LEARNER)
    counsellor = journey.person("counsellor", guidance.COUNSELLOR, guidance.OFFICE)
    way = pathway(journey, learner, counsellor, course)
    programme = ground.publish(journey, "flemish-career-guidance-voucher", short="talks").programme
    ground.tell_facts(journey, LEARNER, employment_status="employed")
    voucher = ground.apply(journey, LEARNER, programme, session)["voucher"]
    redemption = ground.reserve(journey, LEARNER, voucher, session)["name"]

    def step(state: str) -> dict[str, Any] | None:
        (found,) = learner.rest("GET", f"/v1/{way}")["steps"]
        return dict(found) if found["state"] == state else None

    booked = journey.wait_for("the step is booked", lambda: step("STATE_BOOKED"))
    expect(booked["session"] == session, f"the step is booked for {booked['session']}")
    cancelled = {"course": {"cancelledSessions": [session]}, "updateMask": "cancelledSessions"}
    provider = journey.person("provider", ground.PROVIDER, journey.facts.partner)
    guidance.post(provider, f"{course}:correct", cancelled)
    planned = journey.wait_for("the step is planned again", lambda: step("STATE_PLANNED"))
    told = planned["courseStanding"]
    expect(told == "COURSE_STANDING_SESSION_CANCELLED", f"the step says {told}")
    stalled = counsellor.rest("GET", "/v1/stalledPathways", page_size=500)["stalledPathways"]
    expect([planned["name"]] in [each["steps"] for each in stalled], "the counsellor does not find the step")

    def back() -> dict[str, Any] | None:
        found = learner.rest("GET", f"/v1/{voucher}")
        return found if found["available"] == found["value"] else None

    whole = journey.wait_for("the money is on the voucher again", back)
    ended = learner.rest("GET", f"/v1/{redemption}")
    expect(ended["endReason"] == "END_REASON_SESSION_CHANGED", f"the booking ended as {ended['endReason']}")
    return (
        f"{planned['title']!r} was booked, is planned again and in the counsellor's list; "
        f"{money(whole['available'])} are on the voucher again"
    )


def offered(journey: Journey) -> str:
    """An accredited provider of guidance of this walk; returns a session of it."""
    manager = journey.person(catalogue.ROLE, "Mila")
    partner = catalogue.onboard(journey, manager, "guides", "Harbour Guides")
    accreditation = {"validTo": json_day(catalogue.ACCREDITED_UNTIL), "scheme": "Regional quality mark"}
    manager.rest("POST", f"/v1/{partner}/accreditations", {**accreditation, "requestId": request_id()})
    journey.facts.partner = partner
    ground.bring_courses(journey, "harbour-guidance.csv")
    return ground.session_of(journey, SESSION)


def pathway(journey: Journey, learner: Caller, counsellor: Caller, course: str) -> str:
    """The learner opens a portfolio, both agree to a pathway with the course, and it is started; its name."""
    _, owner = holder(journey, LEARNER)
    guidance.mandate(journey, learner, owner, "PATHWAY")
    target = {"qualificationUri": guidance.QUALIFICATION, "eqfLevel": 4, "title": "Welder"}
    drawn = {"title": "From the workshop on", "target": target}
    way = str(guidance.add(counsellor, f"{owner}/pathways", drawn)["name"])
    step = {"kind": "KIND_COURSE", "title": "Four talks", "course": course}
    guidance.post(counsellor, f"{way}:addStep", {"step": step})
    for caller in (learner, counsellor):
        guidance.post(caller, f"{way}:agree", {})
    guidance.post(counsellor, f"{way}:start", {})
    return way


STEP = Step(
    "session-cancelled", "A cancelled session gives step and money back by events alone", ("P1",), show
)
