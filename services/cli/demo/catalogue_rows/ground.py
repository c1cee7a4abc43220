"""What several rows stand on: the office as an organisation, and agreements with it."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.journey import Journey
from services.cli.exits import Failure

OWNER, MONITOR = "Mila", "Joris"


def office(journey: Journey) -> str:
    """The PES of this walk as an organisation, made when it is not there yet; returns its resource name."""
    try:
        manager = journey.person(catalogue.ROLE, OWNER)
        return catalogue.onboard(journey, manager, "office", "Public Employment Office")
    except Failure as failure:
        if failure.reason != "ALREADY_EXISTS":
            raise
        return f"organisations/office-{journey.run}"


def draft(journey: Journey, title: str, *others: str, **changes: Any) -> dict[str, Any]:
    """Drafts an informal, open-ended agreement of the office with `others`; returns it in JSON.

    `changes`: fields in JSON that differ.
    """
    body = {
        "displayNames": {"en": title},
        "parties": [office(journey), *others],
        "models": ["PARTNERSHIP_MODEL_AGILE"],
        "form": "AGREEMENT_FORM_INFORMAL",
        "selectionProcedure": "SELECTION_PROCEDURE_CO_OPTION",
        "owner": journey.subject(OWNER),
        "monitor": journey.subject(MONITOR),
        **changes,
    }
    owner = journey.person(catalogue.ROLE, OWNER)
    return owner.rest("POST", "/v1/agreements", body, request_id=request_id())


def activate(journey: Journey, agreement: str) -> dict[str, Any]:
    """A second person puts an agreement in force; returns it in JSON."""
    second = journey.person(catalogue.ROLE, MONITOR)
    return second.rest("POST", f"/v1/{agreement}:activate", {"requestId": request_id()})
