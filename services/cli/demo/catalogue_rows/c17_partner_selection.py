"""How partners are chosen: open sign-up, and the procedure that each agreement names."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.ground import OWNER, draft
from services.cli.demo.journey import Journey, Step, expect, refused

PROCEDURES = ("CALL_FOR_INTEREST", "CALL_FOR_TENDERS", "CO_OPTION", "OPEN_SIGN_UP")


def show(journey: Journey) -> str:
    """REST: two apply, one at a time each; one is admitted, one refused with a reason; four procedures."""
    manager = journey.person(catalogue.ROLE, OWNER)
    first, second = _apply(journey, "Tom"), _apply(journey, "Rik")
    with refused("PARTNER_APPLICATION_OPEN"):
        _apply(journey, "Tom")
    admit = {"organisationId": f"signed-up-{journey.run}", "requestId": request_id()}
    partner = manager.rest("POST", f"/v1/{first['name']}:admit", admit)["organisation"]
    refuse = {"reason": "PARTNER_REFUSAL_REASON_NOT_VERIFIED", "requestId": request_id()}
    manager.rest("POST", f"/v1/{second['name']}:refuse", refuse)
    heard = journey.person("provider", "Rik").rest("GET", f"/v1/{second['name']}")
    expect(heard["refusalReason"] == refuse["reason"], f"the applicant reads {heard.get('refusalReason')}")
    for procedure in PROCEDURES:
        drafted = draft(journey, procedure, partner, selectionProcedure=f"SELECTION_PROCEDURE_{procedure}")
        found = manager.rest("GET", f"/v1/{drafted['name']}")["selectionProcedure"]
        expect(found.endswith(procedure), f"{procedure} became {found}")
    listed = manager.rest("GET", "/v1/agreements", party=partner)["agreements"]
    expect(len(listed) == len(PROCEDURES), f"the partner has {len(listed)} agreements")
    return f"one of two admitted, one not verified; {len(listed)} agreements by as many procedures"


def _apply(journey: Journey, person: str) -> dict[str, Any]:
    body = {
        "displayName": f"Evening School of {person} {journey.run}",
        "legalIds": {"kbo": "0123456789"},
        "sector": "SECTOR_THIRD",
        "roles": ["ORGANISATION_ROLE_PARTNER", "ORGANISATION_ROLE_PROVIDER"],
        "models": ["PARTNERSHIP_MODEL_SUPPORTIVE"],
        "offer": "Evening classes near the harbour",
    }
    applicant = journey.person("provider", person)
    return applicant.rest("POST", "/v1/partnerApplications", body, request_id=request_id())


STEP = Step("partner-selection", "Partners sign up, are admitted or refused", ("C17",), show)
