"""Offers around a town, a postcode or a region, also of partners who give no coordinates."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.exits import Failure
from services.cli.uploads import upload_to_catalogue

COUNTRY = "LI"  # whose table on the stack nobody else needs
TABLE = ("postcode", "town", "latitude", "longitude"), ("9490", "Vaduz", "47.1410", "9.5215")
COURSE = {
    "course_id": "VADUZ",
    "title": "Bookkeeping where you live",
    "language": "en",
    "session_id": "S1",
    "start_date": "2035-03-01",
    "mode": "on_site",
    "nuts_code": "LI000",
    "postal_code": "9490",
}


def show(journey: Journey) -> str:
    """REST: postcodes are imported; a course without coordinates is found around each of its names."""
    manager, anyone = journey.person(catalogue.ROLE, "Mila"), journey.client.anonymous()
    school = catalogue.onboard(journey, manager, "places", "Harbour Places")
    source = catalogue.new_source(manager, school, "FEED_FORMAT_CSV_TEMPLATE")
    with tempfile.TemporaryDirectory() as folder:
        table = _written(Path(folder) / "places.csv", *TABLE)
        body = {"upload": upload_to_catalogue(manager, table), "country": COUNTRY, "version": journey.run}
        imported = manager.rest("POST", "/v1/places:import", body | {"requestId": request_id()})
        file = _written(Path(folder) / "feed.csv", list(COURSE), list(COURSE.values()))
        run = catalogue.run_feed(journey, source, file, dry=False)
    expect(run.courses_created == 1, f"{run.courses_created} courses were created")

    def around(place: str) -> str:
        wanted: dict[str, Any] = {"organisations": school, "place": place, "radius_km": 10}
        hits = anyone.rest("GET", "/v1/courses:search", **wanted).get("hits", [])
        return str(hits[0]["course"]) if hits else ""

    def found() -> str:
        try:
            return around("9490")
        except Failure as failure:
            if failure.reason != "PLACE_UNKNOWN":
                raise
            return ""  # search has not looked at the table yet

    course = journey.wait_for("search knows the table and the course", found)
    session = anyone.rest("GET", f"/v1/{course}")["offerings"][0]["sessions"][0]
    expect(session.get("locationDerived", False), "its place is told as the partner's own")
    names = ("Vaduz", "LI000")
    journey.wait_for("all names find it", lambda: all(around(name) == course for name in names))
    with refused("PLACE_UNKNOWN") as unknown:
        around("Vadutz")
    near = unknown.failure.text
    return f"{imported['placeCount']} places imported; found around 9490, {', '.join(names)}; Vadutz: {near}"


def _written(file: Path, *rows: Sequence[str]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return file


STEP = Step("places", "Offers around a town, a postcode or a region", ("C20", "C18"), show)
