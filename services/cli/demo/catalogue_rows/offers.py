"""Offers of a partner with modules, a workshop and an online course, for the rows that look at them."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.data import SAMPLES
from services.cli.demo.journey import Journey, expect
from services.cli.exits import Failure

FEED = SAMPLES / "feeds" / "harbour-modules.csv"
COURSES = 3


def modular(journey: Journey) -> str:
    """A partner of the third sector whose offers can be found, made when it is not there yet; returns its
    resource name."""
    manager = journey.person(catalogue.ROLE, "Mila")
    organisation = {"displayName": "Harbour Modules", "sector": "SECTOR_THIRD"}
    body = {"organisation": organisation, "organisationId": f"modules-{journey.run}"}
    try:
        name = str(manager.rest("POST", "/v1/organisations", body | {"requestId": request_id()})["name"])
    except Failure as failure:
        if failure.reason != "ALREADY_EXISTS":
            raise
        return f"organisations/modules-{journey.run}"
    source = catalogue.new_source(manager, name, "FEED_FORMAT_CSV_TEMPLATE")
    run = catalogue.run_feed(journey, source, FEED, dry=False)
    expect(run.courses_created == COURSES, f"{run.courses_created} courses of the feed were created")
    found: dict[str, Any] = {"organisations": [name], "page_size": 1}

    def indexed() -> bool:
        answer = journey.client.anonymous().rest("GET", "/v1/courses:search", **found)
        return int(answer["totalSize"]) == COURSES

    journey.wait_for("index follows the feed", indexed)
    return name


def until_found(journey: Journey, what: str, **wanted: Any) -> list[dict[str, Any]]:
    """The hits of a search by anybody, once there are any: each process of a server follows the index in its
    own time. `what`: as the wait is told."""

    def hits() -> list[dict[str, Any]]:
        answer = journey.client.anonymous().rest("GET", "/v1/courses:search", **wanted)
        return list(answer.get("hits", []))

    return journey.wait_for(what, hits)
