"""A new version of the occupations moves nothing in silence: report, second person, and back."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.versions import CHECKER, MAKER, ROLE, apply, post, settled
from services.cli.demo.versions import propose as report
from services.cli.uploads import upload_to_catalogue

SCHEME = "esco-occupations"


def show(journey: Journey) -> str:
    """REST: an occupation gets another URI; courses move when a second person applies the report."""
    course = tagged_course(journey)
    uri = course["occupations"][0]["uri"]
    change = propose(journey, uri)
    counts = {name: int(number) for name, number in change["counts"].items()}
    expect(counts["replaced"] == 1 and counts["vanished"] == 0, f"the report says {counts}")
    expect(counts["courses"] > 0, "no course hangs on it")
    expect(_uri(journey, course) == uri, "the course was re-tagged in silence")
    with refused("SAME_PERSON"):
        post(journey, MAKER, f"{change['name']}:apply", {})
    applied = apply(journey, change["name"])
    moved = _uri(journey, course)
    post(journey, CHECKER, f"{change['name']}:undo", {})
    undone = settled(journey, change["name"])
    expect(applied["state"] == "STATE_APPLIED", f"it is {applied['state']} {applied.get('reason')}")
    expect(moved == f"{uri}-{journey.run}", f"the course is tagged {moved}")
    expect(undone["state"] == "STATE_UNDONE", f"it is {undone['state']} {undone.get('reason')}")
    expect(_uri(journey, course) == uri, "undoing left the new tag")
    return (
        f"1 of {counts['kept'] + 1} occupations replaced, {counts['courses']} courses and "
        f"{counts['shortage_entries']} shortage entries hang on it; applied and undone"
    )


def propose(journey: Journey, uri: str) -> dict[str, Any]:
    """Imports the version in use once more with another URI for one occupation, and asks for the report."""
    current = _in_use(journey)
    name = f"taxonomies/{SCHEME}/versions/next-{journey.run}"
    with tempfile.TemporaryDirectory() as folder:
        version, links = Path(folder) / "next.csv", Path(folder) / "links.csv"
        version.write_text(_renamed(journey.data.taxonomy.occupations, uri, journey.run), encoding="utf-8")
        links.write_text(f"source,target,strength\n{uri},{uri}-{journey.run},exact\n", encoding="utf-8")
        caller = journey.person(ROLE, MAKER)
        body = {
            "upload": upload_to_catalogue(caller, version),
            "scheme": "TAXONOMY_SCHEME_ESCO_OCCUPATIONS",
            "format": "TAXONOMY_FORMAT_ESCO_OCCUPATIONS_CSV",
            "version": f"next-{journey.run}",
            "language": "en",
        }
        post(journey, MAKER, "taxonomies:import", body)
        linked = {"upload": upload_to_catalogue(caller, links), "source": current, "target": name}
        post(journey, MAKER, "conceptLinks:import", linked)
    return report(journey, name)


def _renamed(file: Path, uri: str, run: str) -> str:
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    for row in rows:
        renamed = f"{uri}-{run}" if row["conceptUri"] == uri else row["conceptUri"]
        writer.writerow({**row, "conceptUri": renamed})
    return out.getvalue()


def _in_use(journey: Journey) -> str:
    found = journey.client.anonymous().rest("GET", "/v1/taxonomyVersions", page_size=500)
    ours = [each for each in found["taxonomyVersions"] if each["name"].startswith(f"taxonomies/{SCHEME}/")]
    return str(max(ours, key=lambda each: str(each.get("inUseTime", "")))["name"])


def tagged_course(journey: Journey) -> dict[str, Any]:
    """A course of the partner with a tag that no person set."""
    caller = journey.person(ROLE, MAKER)
    found = caller.rest("GET", "/v1/courses", page_size=200, organisation=journey.facts.partner)
    for course in found["courses"]:
        tags = course.get("occupations", [])
        if tags and "occupations" not in course.get("correctedFields", []):
            return dict(course)
    raise LookupError("no course is tagged")


def _uri(journey: Journey, course: dict[str, Any]) -> str:
    found = journey.person(ROLE, MAKER).rest("GET", f"/v1/{course['name']}")
    return str(found["occupations"][0]["uri"])


STEP = Step("taxonomy-change", "A new version of the occupations moves nothing in silence", ("C1",), show)
