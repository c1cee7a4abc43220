"""Slovenian database for staff: what has changed since one last looked."""

from __future__ import annotations

from typing import Any

from services.cli.client import Caller
from services.cli.demo.catalogue_rows import c01_occupational_compass, figures, officers
from services.cli.demo.data import OCCUPATION
from services.cli.demo.journey import Journey, Step, expect, refused


def show(journey: Journey) -> str:
    """REST: a token, then new figures, a verified assessment and a published list; not for learners."""
    officer = journey.person("caseworker", officers.OFFICER)
    token, _ = read(officer, "")
    source = figures.register(journey)
    figures.take_in(journey, source, figures.FOLDER / "figures.csv")
    assessment = officers.enter(journey, OCCUPATION, "BE223", 3, "WRONG_SKILLS")
    officers.verify(journey, assessment)
    version = c01_occupational_compass.publish(journey, "staff")
    wanted = {
        (source, "KIND_OBSERVATIONS"),
        (assessment, "KIND_ASSESSMENT_VERIFIED"),
        (version, "KIND_SHORTAGE_LIST_PUBLISHED"),
    }

    def all_of_it() -> tuple[str, list[dict[str, Any]]] | None:
        after, found = read(officer, token)
        return (after, found) if wanted <= {(each["resource"], each["kind"]) for each in found} else None

    after, found = journey.wait_for("staff hear of it", all_of_it)
    mine = [each for each in found if each["resource"] in {source, assessment, version}]
    expect(not any(each in read(officer, after)[1] for each in mine), "a change is told twice")
    with refused("PERMISSION_DENIED"):
        read(journey.person("learner", "Elise (C19)"), token)
    return f"{len(mine)} changes since {token}, each once; the next question asks after {after}"


def read(caller: Caller, token: str) -> tuple[str, list[dict[str, Any]]]:
    """All changes after a token, and the token after them."""
    found: list[dict[str, Any]] = []
    while True:
        answer = caller.rest("GET", "/v1/marketChanges", token=token, page_size=500)
        found += answer.get("marketChanges", [])
        token = answer["nextToken"]
        if not answer.get("more", False):
            return token, found


STEP = Step("staff-view", "Staff see what has changed since they last looked", ("C19",), show)
