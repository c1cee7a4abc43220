"""Changes of the version of a taxonomy in use, as several parts of the walk make them."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo.journey import Journey

ROLE, MAKER, CHECKER = "catalogue_manager", "Mila", "Joris"
BUSY = {"STATE_COUNTING", "STATE_APPLYING", "STATE_UNDOING"}


def post(journey: Journey, person: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POSTs as a catalogue manager."""
    return journey.person(ROLE, person).rest("POST", f"/v1/{path}", body | {"requestId": request_id()})


def propose(journey: Journey, version: str) -> dict[str, Any]:
    """Asks for the report of a change to a version; returns the change once it is there."""
    return settled(journey, post(journey, MAKER, "taxonomyChanges", {"toVersion": version})["name"])


def apply(journey: Journey, change: str) -> dict[str, Any]:
    """A second person applies a change; returns it once it is applied."""
    post(journey, CHECKER, f"{change}:apply", {})
    return settled(journey, change)


def settled(journey: Journey, name: str) -> dict[str, Any]:
    """Waits until what is under way with a change has ended."""
    caller = journey.person(ROLE, MAKER)

    def ended() -> dict[str, Any] | None:
        found = caller.rest("GET", f"/v1/{name}")
        return found if found["state"] not in BUSY or found.get("reason") else None

    return journey.wait_for("the change of version goes on", ended, times=10)
