"""Targets of an agreement, a review by who watches it, and what both sides say of each other."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.cli.amounts import json_date
from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.ground import MONITOR, OWNER, activate, draft
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.legal_day import legal_day
from services.cli.output import day


def show(journey: Journey) -> str:
    """REST: a counted and a soft target; only the monitor reviews; each side tells of the other."""
    partner, owner = journey.facts.partner, journey.person(catalogue.ROLE, OWNER)
    name = draft(journey, "Placements from the harbour", partner)["name"]
    placed = _target(journey, name, "people placed", 0, 80)
    content = _target(journey, name, "", 60, 90)
    activate(journey, name)
    values = [{"target": placed, "current": "40"}, {"target": content, "current": "75"}]
    review = {"verdict": "VERDICT_KEEP", "values": values}
    with refused("NOT_FOUND"):
        owner.rest("POST", f"/v1/{name}/reviews", review, request_id=request_id())
    monitor = journey.person(catalogue.ROLE, MONITOR)
    with refused("INVALID_ARGUMENT"):
        one = review | {"values": values[:1]}
        monitor.rest("POST", f"/v1/{name}/reviews", one, request_id=request_id())
    monitor.rest("POST", f"/v1/{name}/reviews", review, request_id=request_id())
    progress = [each["progressBasisPoints"] for each in owner.rest("GET", f"/v1/{name}/targets")["targets"]]
    expect(progress == ["5000", "5000"], f"half the way is told as {progress}")
    provider = journey.person("provider", "Sanne", partner)
    _tell(provider, name, rating=4, comment="Quick answers.")
    _tell(owner, name, rating=5, organisation=partner)
    heard = provider.rest("GET", f"/v1/{name}/feedback")["feedback"]
    sides = {each["side"]: each["rating"] for each in heard}
    expect(sides == {"SIDE_PES": 5, "SIDE_PARTNER": 4}, f"heard: {sides}")
    due = day(owner.rest("GET", f"/v1/{name}")["reviewDate"])
    return f"40 of 80 placed, content 75 of 90; next review by {due}; rated 4 and 5"


def _target(journey: Journey, agreement: str, unit: str, baseline: int, value: int) -> str:
    year = legal_day().year
    body = {
        "displayNames": {"en": unit or "how content people are"},
        "kind": "KIND_COUNTED" if unit else "KIND_JUDGED",
        "unit": unit,
        "baseline": str(baseline),
        "value": str(value),
        "startDate": json_date(date(year, 1, 1)),
        "dueDate": json_date(date(year + 1, 12, 31)),
    }
    owner = journey.person(catalogue.ROLE, OWNER)
    return str(owner.rest("POST", f"/v1/{agreement}/targets", body, request_id=request_id())["name"])


def _tell(caller: Any, agreement: str, **feedback: Any) -> None:
    caller.rest("POST", f"/v1/{agreement}/feedback", feedback, request_id=request_id())


STEP = Step(
    "targets-and-feedback", "Targets, a review by the monitor, two-sided feedback", ("C14", "C11"), show
)
