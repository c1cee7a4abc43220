"""An agreement of three that shares data: for purposes, field by field."""

from __future__ import annotations

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.ground import OWNER, activate, draft, office
from services.cli.demo.journey import Journey, Step, expect, refused


def show(journey: Journey) -> str:
    """REST: a party reads the agreed fields of the office's contact details for the agreed purpose only."""
    owner, partner = journey.person(catalogue.ROLE, OWNER), journey.facts.partner
    pes = office(journey)
    union = catalogue.onboard(journey, owner, "union", "Union of Metal Workers")
    details = {
        "email": "info@office.example",
        "phone": "+32 3 555 01 00",
        "billingEmail": "invoices@office.example",
    }
    owner.rest("PATCH", f"/v1/{pes}/contactDetails", details, request_id=request_id())
    term = {"giver": pes, "purposes": ["DATA_PURPOSE_PLACEMENT"], "fields": ["email", "phone"]}
    name = draft(journey, "Data exchange", partner, union, dataSharing=[term])["name"]
    provider = journey.person("provider", "Sanne", partner)
    path = f"/v1/{pes}/contactDetails"
    with refused("NOT_FOUND"):
        provider.rest("GET", path, purpose="DATA_PURPOSE_PLACEMENT")
    activate(journey, name)
    read = provider.rest("GET", path, purpose="DATA_PURPOSE_PLACEMENT")
    expect(read["email"] == details["email"], "the agreed e-mail address is not shown")
    expect(not read.get("billingEmail"), "the address for invoices is shown, which nobody agreed")
    with refused("NOT_FOUND"):
        provider.rest("GET", path, purpose="DATA_PURPOSE_STATISTICS")
    end = {"reason": "AGREEMENT_END_REASON_MUTUAL", "requestId": request_id()}
    owner.rest("POST", f"/v1/{name}:end", end)
    with refused("NOT_FOUND"):
        provider.rest("GET", path, purpose="DATA_PURPOSE_PLACEMENT")
    shown = ", ".join(read["readableFields"])
    return f"an agreement of three showed {shown}; nothing for another purpose, nothing after its end"


STEP = Step("data-sharing", "A tripartite agreement shares data field by field", ("C16",), show)
