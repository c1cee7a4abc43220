"""Slovenian semantic search and badges: found by what is meant, of providers whose mark is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.data import SAMPLES
from services.cli.demo.journey import Journey, Step, expect
from services.cli.uploads import upload_to_catalogue

MEANT = ("spawacz", "pl")  # Polish for the welder of the partner's course, which is in English


def show(journey: Journey) -> str:
    """REST: no word in common, one mistyped, one unfinished; courses like it; courses for a gap in skills."""
    import_file(journey, SAMPLES / "taxonomy" / "isco08_labels.csv", "ISCO_08", "LABELS")
    know_skills(journey)
    anyone = journey.client.anonymous()

    def found(query: str, language: str) -> dict[str, Any] | None:
        within = {"organisations": journey.facts.partner, "language": language}
        hits = anyone.rest("GET", "/v1/courses:search", query=query, **within).get("hits", [])
        return next((hit for hit in hits if hit["course"] == journey.facts.course), None)

    hit = journey.wait_for("search knows the labels", lambda: found(*MEANT))
    reasons = {each["kind"]: each for each in hit["reasons"]}
    expect(reasons["KIND_CONCEPT"]["label"] == MEANT[0], f"it was found for {hit['reasons']}")
    expect("KIND_WORDS" not in reasons, "the course has the word itself, so this shows nothing")
    expect("KIND_VOUCHER_ELIGIBLE" in reasons, "the mark of the accredited provider is not shown")
    expect(found("spawcaz", "pl") is not None, "an error in typing hides the course")
    offered = anyone.rest("GET", "/v1/courses:suggest", query="spaw").get("suggestions", [])
    expect(any(each["text"] == MEANT[0] for each in offered), f"'spaw' offers {offered}")
    like = anyone.rest("GET", f"/v1/{hit['course']}:similar").get("hits", [])
    expect(bool(like), "no course is like the one found")
    skills = _gap(journey)
    answer = anyone.rest("POST", "/v1/courses:recommend", {"skills": skills})
    best = answer["recommendations"][0]
    return (
        f"'{MEANT[0]}' finds {hit['titles']['en']!r}, of an accredited provider; {len(like)} like it; "
        f"{best['hit']['titles']['en']!r} is for {len(best['coveredSkills'])} of {len(skills)} missing skills"
    )


def know_skills(journey: Journey) -> None:
    """Imports the skills of the samples, unless there are skills already."""
    if not any("SKILLS" in each["scheme"] for each in versions(journey)):
        import_file(journey, SAMPLES / "taxonomy" / "skills_en.csv", "ESCO_SKILLS", "ESCO_SKILLS")


def versions(journey: Journey) -> list[dict[str, Any]]:
    """Every version of a taxonomy there is."""
    caller = journey.person(catalogue.ROLE, "Mila")
    found: list[dict[str, Any]] = caller.rest("GET", "/v1/taxonomyVersions", page_size=500).get(
        "taxonomyVersions", []
    )
    return found


def import_file(journey: Journey, path: Path, scheme: str, columns: str) -> None:
    """Imports a file of a scheme, or adds it to the version in use where there is one."""
    caller = journey.person(catalogue.ROLE, "Mila")
    name = f"TAXONOMY_SCHEME_{scheme}"
    known = [each for each in versions(journey) if each["scheme"] == name]
    used = max(known, key=lambda each: str(each.get("inUseTime", "")), default={"version": "sample-1"})
    body = {
        "upload": upload_to_catalogue(caller, path),
        "scheme": name,
        "format": f"TAXONOMY_FORMAT_{columns}_CSV",
        "version": used["version"],
        "language": "en",
        "requestId": request_id(),
    }
    caller.rest("POST", "/v1/taxonomies:import", body)


def _gap(journey: Journey) -> list[str]:
    """Skills of a welder, once they are known to search."""
    anyone = journey.client.anonymous()

    def known() -> list[str]:
        answer = anyone.rest("GET", "/v1/courses:suggest", query="welding", kinds="KIND_SKILL", page_size=20)
        return [each["resource"] for each in answer.get("suggestions", [])]

    return list(journey.wait_for("search knows the skills", known))


STEP = Step("search-by-meaning", "A course is found by what is meant", ("C18",), show)
