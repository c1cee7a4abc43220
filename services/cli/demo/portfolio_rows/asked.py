"""What rows with questionnaires share: samples published by a second person, and filled by people."""

from __future__ import annotations

import json
from typing import Any

from services.cli.client import Caller, request_id
from services.cli.demo.catalogue import ROLE
from services.cli.demo.data import SAMPLES
from services.cli.demo.journey import Journey, refused

MAKER, CHECKER = "Mila", "Niels"


def publish(journey: Journey, instrument: str, framework: str = "") -> dict[str, Any]:
    """Drafts and publishes a sample instrument, and before it the framework that scores it; returns it."""
    wanted = _sample(f"instruments/{instrument}")
    if framework:
        version = _publish(journey, f"frameworks/{framework}", _sample(f"frameworks/{framework}"))
        wanted["frameworkVersion"] = version["name"]
    return _publish(journey, f"instruments/{instrument}", wanted)


def _publish(journey: Journey, path: str, wanted: dict[str, Any]) -> dict[str, Any]:
    maker, checker = journey.person(ROLE, MAKER), journey.person(ROLE, CHECKER)
    address = f"/v1/{path}-{journey.run}/versions"
    draft = maker.rest("POST", address, wanted, request_id=request_id())["name"]
    with refused("SAME_PERSON"):
        maker.rest("POST", f"/v1/{draft}:publish", {"requestId": request_id()})
    return checker.rest("POST", f"/v1/{draft}:publish", {"requestId": request_id()})


def begin(caller: Caller, holder: str, instrument: dict[str, Any]) -> str:
    """Begins a questionnaire for somebody; returns its name."""
    wanted = {"instrumentVersion": instrument["name"]}
    path = f"/v1/{holder}/questionnaires"
    return str(caller.rest("POST", path, wanted, request_id=request_id())["name"])


def answers(instrument: dict[str, Any], part: str, option: int) -> list[dict[str, str]]:
    """Answers to each question of a part: the option at a place, or some words."""
    return [
        {"question": each["id"], "option": each["options"][option]["id"]}
        if each.get("options")
        else {"question": each["id"], "text": "as seen in a placement"}
        for each in instrument["questions"]
        if each["part"] == part
    ]


def fill(caller: Caller, name: str, instrument: dict[str, Any], option: int) -> dict[str, Any]:
    """Fills the part about oneself and completes; returns the questionnaire."""
    body = {"answers": answers(instrument, "me", option), "requestId": request_id()}
    caller.rest("POST", f"/v1/{name}/parts/me:fill", body)
    return caller.rest("POST", f"/v1/{name}:complete", {"requestId": request_id()})


def _sample(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{path}.json").read_text(encoding="utf-8"))
    return found
