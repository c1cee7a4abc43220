"""What several rows share: an officer enters an assessment, another verifies it."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo.journey import Journey

OFFICER, SECOND = "Noor", "Pieter"


def enter(journey: Journey, occupation: str, area: str, severity: int, cause: str) -> str:
    """An officer enters an assessment; returns its resource name."""
    body = {
        "occupation": occupation,
        "nutsCode": area,
        "severity": severity,
        "cause": f"SHORTAGE_CAUSE_{cause}",
        "evidence": "vacancies stay open for more than 90 days",
    }
    officer = journey.person("caseworker", OFFICER)
    return str(officer.rest("POST", "/v1/assessments", body, request_id=request_id())["name"])


def verify(journey: Journey, assessment: str) -> dict[str, Any]:
    """A second officer verifies it."""
    second = journey.person("caseworker", SECOND)
    return second.rest("POST", f"/v1/{assessment}:verify", {"requestId": request_id()})


def rolled_up(journey: Journey, occupation: str, region: str) -> dict[str, Any]:
    """What verified assessments come to."""
    anyone = journey.client.anonymous()
    return anyone.rest("GET", "/v1/assessments:rollUp", occupation=occupation, nuts_code=region)
