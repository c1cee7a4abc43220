"""What rows on gaps and ideas stand on: occupations whose skills are known, courses for some of these, people
who claim some."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

from services.cli.client import Caller
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.c18_search_by_meaning import import_file, know_skills, versions
from services.cli.demo.data import PLACE, SAMPLES
from services.cli.demo.journey import Journey, expect
from services.cli.exits import Failure

RELATIONS = SAMPLES / "taxonomy" / "occupation_skills.csv"
OCCUPATIONS = "TAXONOMY_SCHEME_ESCO_OCCUPATIONS"
PRICE = "90"  # euro
SAMPLE = "https://taxonomy.waymark.example"
WELDER, OPERATOR, PLUMBER = "welder", "cnc-operator", "plumber"
CODES = {WELDER: "7212", OPERATOR: "7223", PLUMBER: "7126", "heat-pump-installer": "7127"}


def know(journey: Journey) -> dict[str, str]:
    """Says which skills four occupations need, whatever taxonomy is in use; returns their URIs by name."""
    if not any(each["scheme"] == OCCUPATIONS for each in versions(journey)):
        catalogue.import_taxonomy(journey)
    know_skills(journey)
    uris = {name: _occupation(journey, code) for name, code in CODES.items()}
    with RELATIONS.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["occupationUri"] = uris[row["occupationUri"].rpartition("/")[2]]
    _with_csv(
        "relations.csv",
        rows,
        lambda file: import_file(journey, file, "ESCO_OCCUPATIONS", "OCCUPATION_SKILLS"),
    )
    return uris


def skill(name: str) -> str:
    """URI of a sample skill."""
    return f"{SAMPLE}/skill/{name}"


def teach(journey: Journey, short: str, titles: list[str], place: str = PLACE) -> str:
    """A school of this walk with one course a title, of which the next session can be booked; returns it."""
    manager = journey.person(catalogue.ROLE, "Mila")
    school = catalogue.onboard(journey, manager, short, f"School {short}")
    source = catalogue.new_source(manager, school, "FEED_FORMAT_CSV_TEMPLATE")
    shared = {"language": "en", "start_date": "2035-03-01", "mode": "on_site", "nuts_code": place}
    shared |= {"price": PRICE, "currency": "EUR"}
    rows = [
        {"course_id": f"C{number}", "title": title, "session_id": "S1", **shared}
        for number, title in enumerate(titles)
    ]
    run = _with_csv("courses.csv", rows, lambda file: catalogue.run_feed(journey, source, file, dry=False))
    expect(run.records_accepted == len(titles), f"the courses are {run}")
    return school


def claim(learner: Caller, holder: str, *names: str) -> dict[str, Any]:
    """Claims sample skills; returns the profile, in JSON."""
    for name in names:
        learner.rest("POST", f"/v1/{holder}/skillClaims", {"conceptUri": skill(name)})
    return learner.rest("GET", f"/v1/{holder}:skillProfile")


def ask(journey: Journey, verb: str, body: dict[str, Any], ready: str) -> dict[str, Any]:
    """Asks the catalogue, as nobody in particular, until its indexes have what `ready` names."""
    anyone = journey.client.anonymous()

    def asked() -> dict[str, Any] | None:
        try:
            answer = anyone.rest("POST", f"/v1/occupations:{verb}", body)
        except Failure as failure:
            if failure.reason in ("SEARCH_NOT_READY", "NOT_FOUND"):
                return None
            raise
        return answer if ready in str(answer) else None

    return journey.wait_for("the catalogue knows the skills", asked)


def _occupation(journey: Journey, code: str) -> str:
    found = journey.client.anonymous().rest(
        "GET",
        "/v1/concepts:search",
        query=code,
        scheme=OCCUPATIONS,
        page_size=1,
    )
    return str(found["concepts"][0]["uri"])


def _with_csv(name: str, rows: list[dict[str, str]], use: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return use(file)
