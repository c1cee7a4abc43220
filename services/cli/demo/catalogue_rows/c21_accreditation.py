"""Accreditation by criteria with a score; without one in force no vouchers are taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.cli.amounts import json_date
from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.ground import OWNER
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows.ground import check, publish, tell_facts
from services.cli.legal_day import legal_day

NEEDED = 60  # least score of each criterion


def show(journey: Journey) -> str:
    """REST: refused by criterion; vouchers are taken while an accreditation is in force, and only then."""
    manager, other = journey.person(catalogue.ROLE, OWNER), journey.facts.other
    today = legal_day()
    programme = publish(journey, "estonian-training-cover", short="accredited").programme
    tell_facts(journey, "Lotte", employment_status="unemployed", education_level=3)
    session = _session(journey, other)

    def grant(score: int, first: Any, last: Any) -> dict[str, Any]:
        body = {
            "validFrom": json_date(first),
            "validTo": json_date(last),
            "scheme": "Regional quality mark",
            "criteria": [{"code": "1.1", "score": 90, "minimum": NEEDED}, _criterion(score)],
            "reviewDate": json_date(last),
        }
        path = f"/v1/{other}/accreditations"
        return manager.rest("POST", path, body | {"requestId": request_id()})

    with refused("ACCREDITATION_CRITERIA_NOT_MET") as seen:
        grant(NEEDED - 1, today, today + timedelta(days=365))
    named = [each.field for each in seen.failure.violations if each.field.startswith("criteria[")]
    expect(named == ["criteria[1].score"], f"named are {named}")
    over = grant(70, today - timedelta(days=365), today - timedelta(days=1))
    expect(not manager.rest("GET", f"/v1/{other}").get("accredited"), f"{over['name']} has run out")
    _until(journey, programme, session, eligible=False)
    held = grant(70, today, today + timedelta(days=365))
    _until(journey, programme, session, eligible=True)
    manager.rest("POST", f"/v1/{held['name']}:withdraw", {"requestId": request_id()})
    _until(journey, programme, session, eligible=False)
    return (
        f"score {held['score']}; refused with {NEEDED - 1} in 4.2; vouchers taken while it is in force, only"
    )


def _criterion(score: int) -> dict[str, Any]:
    return {"code": "4.2", "score": score, "minimum": NEEDED}


def _session(journey: Journey, organisation: str) -> str:
    """A session of the organisation that can be booked."""
    courses = journey.client.anonymous().rest("GET", "/v1/courses", organisation=organisation)["courses"]
    offerings = [each for course in courses for each in course.get("offerings", [])]
    sessions = [each["name"] for offering in offerings for each in offering.get("sessions", [])]
    expect(bool(sessions), f"{organisation} has no session")
    return str(sessions[0])


def _until(journey: Journey, programme: str, session: str, *, eligible: bool) -> None:
    """Waits until vouchers may, or may not, be spent with the provider of a session."""

    def heard() -> bool:
        clauses = check(journey, "Lotte", programme, session)["clauses"]
        failed = {each.get("reasonCode") for each in clauses if each["outcome"] == "OUTCOME_FAILED"}
        return ("PROVIDER_NOT_ACCREDITED" not in failed) == eligible

    journey.wait_for("vouchers hear of the accreditation", heard)


STEP = Step("accreditation", "Accreditation by criteria, with a score and a day of review", ("C21",), show)
