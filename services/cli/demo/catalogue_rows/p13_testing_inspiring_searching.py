"""New Plan: what somebody lacks, by their own word, becomes ideas with reasons: courses by skills that people
look over."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.c18_search_by_meaning import know_skills
from services.cli.demo.catalogue_rows.offers import until_found
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows.ground import holder

TAUGHT, NAMED = "TIG welding", "read welding drawings"  # what the course teaches, and what it only names
ADDED = "underwater welding"  # which the next feed says more


def show(journey: Journey) -> str:
    """REST: a new course gets its skills; one is rejected, also after the next import; what a self-assessment
    leaves open becomes ideas."""
    know_skills(journey)
    manager = journey.person(catalogue.ROLE, "Mila")
    school = catalogue.onboard(journey, manager, "ideas", "Harbour Ideas")
    source = catalogue.new_source(manager, school, "FEED_FORMAT_CSV_TEMPLATE")
    _feed(journey, source, "No reading drawings needed.")
    found = _tagged(journey, school, {TAUGHT, NAMED})
    course, skills = found["name"], {tag["label"]: tag["uri"] for tag in found["skills"]}
    reviews = manager.rest("GET", "/v1/tagReviews", course=course)["tagReviews"]
    wrong = next(each for each in reviews if each["label"] == NAMED)
    body = {"verdict": "VERDICT_REJECTED", "course": course, "requestId": request_id()}
    manager.rest("POST", f"/v1/{wrong['name']}:decide", body)
    _tagged(journey, school, {TAUGHT})
    _feed(journey, source, "Still no reading drawings needed; underwater welding is new.")
    _tagged(journey, school, {TAUGHT, ADDED})
    ideas = journey.wait_for("index follows the rejection", lambda: _ideas(journey, school, skills))
    done = _assessed(journey, skills)
    rest = {"skills": sorted(set(skills.values()) - done), "among": {"organisations": [school]}}
    inspired = journey.client.anonymous().rest("POST", "/v1/courses:recommend", rest)
    expect(not inspired.get("uncoveredSkills"), "what the assessment leaves open has no course")
    lacking = [skills[NAMED]]
    expect(ideas["uncoveredSkills"] == lacking, f"nobody is for {ideas['uncoveredSkills']}")
    (covered,) = ideas["recommendations"][0]["coveredSkills"]
    expect(covered["tagged"], f"it is recommended for its words alone: {covered}")
    taught = until_found(
        journey, "the course is found by what it teaches", query=TAUGHT, organisations=school
    )
    reasons = [each["kind"] for each in taught[0]["reasons"]]
    expect("KIND_CONCEPT" in reasons, f"it is found for {reasons}")
    return (
        f"{len(skills)} skills found, {wrong['phrase']!r} rejected and still so after the next import; "
        f"an idea for {covered['label']!r}, which the assessment left open, found for the concept"
    )


def _assessed(journey: Journey, skills: dict[str, str]) -> set[str]:
    """Somebody says of themselves that they do one of the skills alone; returns which they do so."""
    learner, name = holder(journey, "Nora")
    said = {"conceptUri": skills[NAMED], "label": {"en": NAMED}, "level": "SKILL_LEVEL_INDEPENDENT"}
    learner.rest("POST", f"/v1/{name}/skillClaims", said)
    claims = learner.rest("GET", f"/v1/{name}/skillClaims")["skillClaims"]
    alone = ("SKILL_LEVEL_INDEPENDENT", "SKILL_LEVEL_ADVANCED", "SKILL_LEVEL_EXPERT")
    return {each["conceptUri"] for each in claims if each["level"] in alone}


def _feed(journey: Journey, source: str, told: str) -> None:
    values = {"course_id": "TIG", "title": TAUGHT, "language": "en", "description": told, "session_id": "S1"}
    values |= {"start_date": "2035-03-01", "mode": "on_site", "nuts_code": "BE211"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ideas.csv"
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(values))
            writer.writeheader()
            writer.writerow(values)
        run = catalogue.run_feed(journey, source, file, dry=False)
    expect(run.records_accepted == 1, f"the course is {run}")


def _tagged(journey: Journey, school: str, wanted: set[str]) -> dict[str, Any]:
    """The course once it has these skills and no others."""
    anyone = journey.client.anonymous()

    def found() -> dict[str, Any] | None:
        for course in anyone.rest("GET", "/v1/courses", organisation=school).get("courses", []):
            if {tag["label"] for tag in course.get("skills", [])} == wanted:
                return dict(course)
        return None

    return journey.wait_for(f"the course is tagged {', '.join(sorted(wanted))}", found)


def _ideas(journey: Journey, school: str, skills: dict[str, str]) -> dict[str, Any] | None:
    """Courses of the school for what somebody lacks, once the index knows what was rejected."""
    body = {"skills": [skills[TAUGHT], skills[NAMED]], "among": {"organisations": [school]}}
    answer = journey.client.anonymous().rest("POST", "/v1/courses:recommend", body)
    return answer if answer.get("recommendations") and answer.get("uncoveredSkills") else None


STEP = Step(
    "testing-inspiring-searching",
    "What is lacking becomes ideas, then courses whose tags are looked over",
    ("P13",),
    show,
)
