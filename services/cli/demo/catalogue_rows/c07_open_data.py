"""JobTech's open infrastructure: who likes keeps a copy of all courses, by snapshot and changes."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

from services.cli.client import Caller, request_id
from services.cli.demo import catalogue
from services.cli.demo.data import SAMPLES
from services.cli.demo.journey import Journey, Step, expect, refused

FEEDS = SAMPLES / "feeds"


def show(journey: Journey) -> str:
    """REST: without a token a snapshot is fetched in two goes, and followed until it equals the list."""
    manager, anyone = journey.person(catalogue.ROLE, "Mila"), journey.client.anonymous()
    partner = catalogue.onboard(journey, manager, "copied", "Harbour Evening School")
    source = catalogue.new_source(manager, partner, "FEED_FORMAT_CSV_TEMPLATE", removalLimitPercent=100)
    catalogue.run_feed(journey, source, FEEDS / "harbour-guidance.csv", dry=False)
    with refused("UNAUTHENTICATED"):
        anyone.rest("POST", "/v1/courseSnapshots", {"requestId": request_id()})
    asked = manager.rest("POST", "/v1/courseSnapshots", {"requestId": request_id()})["name"]

    def made() -> dict[str, Any] | None:
        found = anyone.rest("GET", f"/v1/{asked}")
        return found if found["state"] == "STATE_SUCCEEDED" else None

    snapshot = journey.wait_for("snapshot", made, times=10)
    copy = {course["name"]: course for course in fetched(anyone, snapshot)}
    expect(len(copy) == int(snapshot["courseCount"]), f"{len(copy)} of {snapshot['courseCount']} fetched")
    before = {course["name"] for course in listed(anyone, partner)}
    expect(of_partner(copy, partner) == before, "the snapshot has not the courses that are listed")
    catalogue.run_feed(journey, source, FEEDS / "harbour-degree.csv", dry=False)
    served = {course["name"] for course in listed(anyone, partner)}
    expect(bool(served) and not served & before, "the second feed replaces none of the first")
    token = snapshot["changeToken"]

    def followed() -> bool:
        nonlocal token
        token = follow(anyone, copy, token)
        return of_partner(copy, partner) == served

    journey.wait_for("the copy follows", followed)
    followed_text = f"{len(before)} removed and {len(served)} new followed"
    return f"{snapshot['courseCount']} courses; {followed_text}, the copy equals the list"


def fetched(caller: Caller, snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """The courses of a snapshot, each part fetched up to its middle and from there on."""
    lines: list[dict[str, Any]] = []
    for part in snapshot.get("parts", []):
        url, half = part["downloadUrl"], int(part["sizeBytes"]) // 2
        data = caller.download(url)[:half] + caller.download(url, half)
        expect(hashlib.sha256(data).hexdigest() == part["sha256"], f"part {part['number']} is not as stored")
        lines += map(json.loads, gzip.decompress(data).splitlines())
    return lines


def follow(caller: Caller, copy: dict[str, Any], token: str) -> str:
    """Takes over all that has changed after a token; returns the one after that."""
    while True:
        answer = caller.rest("GET", "/v1/courseChanges", token=token, page_size=500)
        for change in answer.get("courseChanges", []):
            if change.get("removed"):
                copy.pop(change["name"], None)
            else:
                copy[change["name"]] = change["course"]
        token = answer["nextToken"]
        if not answer.get("more", False):
            return token


def of_partner(copy: dict[str, Any], partner: str) -> set[str]:
    """Names of a partner's courses in a copy."""
    return {name for name, course in copy.items() if course["organisation"] == partner}


def listed(caller: Caller, partner: str) -> list[dict[str, Any]]:
    """A partner's courses as the list shows them."""
    found: list[dict[str, Any]] = caller.rest("GET", "/v1/courses", organisation=partner).get("courses", [])
    return found


STEP = Step("open-data", "Who likes keeps a copy of all courses", ("C7",), show)
