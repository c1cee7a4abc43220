"""Models of partnership mixed in one agreement, whose form decides what it must hold."""

from __future__ import annotations

from datetime import date

from services.cli.amounts import json_date
from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.ground import OWNER, activate, draft
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.legal_day import legal_day

MODELS = [f"PARTNERSHIP_MODEL_{name}" for name in ("AGILE", "SUBCONTRACTED", "CO_CONSTRUCTED", "SUPPORTIVE")]


def show(journey: Journey) -> str:
    """REST: a legally binding agreement names what it lacks; filled, a second person puts it in force."""
    owner, partner = journey.person(catalogue.ROLE, OWNER), journey.facts.partner
    with refused("INVALID_ARGUMENT"):
        draft(journey, "One who watches oneself", partner, monitor=journey.subject(OWNER))
    terms = {"form": "AGREEMENT_FORM_LEGALLY_BINDING", "models": MODELS}
    drafted = draft(journey, "Welding for the harbour", partner, **terms)
    name = drafted["name"]
    with refused("AGREEMENT_INCOMPLETE") as seen:
        activate(journey, name)
    named = [violation.field for violation in seen.failure.violations]
    missing = [field for field in named if field.startswith("agreement.")]
    expect(
        missing == ["agreement.volumes", "agreement.standards", "agreement.end_date"],
        f"named as missing: {missing}",
    )
    year = legal_day().year
    drafted |= {
        "volumes": [{"what": "training places a year", "quantity": "120"}],
        "standards": ["ISO 29993"],
        "endDate": json_date(date(year + 1, 12, 31)),
    }
    owner.rest("PATCH", f"/v1/{name}", drafted, request_id=request_id())
    with refused("SAME_PERSON"):
        owner.rest("POST", f"/v1/{name}:activate", {"requestId": request_id()})
    running = activate(journey, name)
    expect(running["models"] == MODELS, f"its models are {running['models']}")
    return f"{len(MODELS)} models, legally binding until {year + 1}-12-31; {len(missing)} gaps were named"


STEP = Step("mixed-agreement", "Models mixed in one agreement, its form decides", ("C13",), show)
