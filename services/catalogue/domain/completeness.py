"""How much of what people ask about a course is told. A change of weights or conditions needs a new RULE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from waymark.catalogue.v1.course_completeness_pb2 import CourseAspect
from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_MODEL, CourseMode

from services.catalogue.domain.courses import Document, sessions

RULE = 1
LONG = 200  # characters of a description that tells something
ON_SITE = {CourseMode.COURSE_MODE_ON_SITE, CourseMode.COURSE_MODE_BLENDED}
# True: it is told, False: it is not, None: it does not apply.
Told = Callable[[Document], bool | None]


class Aspect(NamedTuple):
    """Something that people ask: weight, whether it is told, and what to do where it is not."""

    weight: int
    told: Told
    remedy: str


class Measured(NamedTuple):
    """Score from 0 to 100, and what is not told: aspect → points it would add, the most first."""

    score: int
    lacks: Mapping[int, int]


def measure(document: Document) -> Measured:
    """Returns how complete a course is."""
    told = {key: aspect.told(document) for key, aspect in ASPECTS.items()}
    applying = [key for key, value in told.items() if value is not None]
    whole = sum(ASPECTS[key].weight for key in applying)
    lacking = sorted((key for key in applying if not told[key]), key=lambda key: -ASPECTS[key].weight)
    lost = sum(ASPECTS[key].weight for key in lacking)
    points = {key: round(100 * ASPECTS[key].weight / whole) for key in lacking}
    return Measured(100 - round(100 * lost / whole), points)


def _described(document: Document) -> bool:
    return any(len(text) >= LONG for text in document["descriptions"].values())


def _aimed(document: Document) -> bool | None:
    if document["kind"] == "guidance":
        return None
    return any(tag["origin"] != TAG_ORIGIN_MODEL for tag in document["occupations"])


def _levelled(document: Document) -> bool | None:
    return None if document["kind"] == "guidance" else bool(document["eqf_level"])


def _priced(document: Document) -> bool | None:
    return _each(document, lambda session: "cents" in session)


def _placed(document: Document) -> bool | None:
    found = [session for session in sessions(document) if session["mode"] in ON_SITE]
    return all(session.get("town") or session.get("nuts") for session in found) if found else None


def _ending(document: Document) -> bool | None:
    found = [session for session in sessions(document) if "start" in session]
    return all("end" in session for session in found) if found else None


def _spoken(document: Document) -> bool | None:
    offerings = document["offerings"]
    return all(offering["language"] for offering in offerings) if offerings else None


def _each(document: Document, told: Callable[[Document], bool]) -> bool | None:
    found = list(sessions(document))
    return all(map(told, found)) if found else None


ASPECTS: Mapping[int, Aspect] = {
    CourseAspect.COURSE_ASPECT_DESCRIPTION: Aspect(
        20, _described, f"Describe in at least {LONG} characters what is learnt, for whom and how."
    ),
    CourseAspect.COURSE_ASPECT_OCCUPATIONS: Aspect(
        15, _aimed, "Name the occupations it prepares for by their ESCO concept URI."
    ),
    CourseAspect.COURSE_ASPECT_URL: Aspect(
        10, lambda document: bool(document["url"]), "Give the address of its page on your site."
    ),
    CourseAspect.COURSE_ASPECT_EQF_LEVEL: Aspect(10, _levelled, "Give its EQF level, 1 to 8."),
    CourseAspect.COURSE_ASPECT_SESSION: Aspect(
        10,
        lambda document: any(sessions(document)),
        "Give a session, or one of permanent entry.",
    ),
    CourseAspect.COURSE_ASPECT_PRICE: Aspect(10, _priced, "Give each session its full price, VAT included."),
    CourseAspect.COURSE_ASPECT_PLACE: Aspect(
        10, _placed, "Give each session on site its town, or its NUTS code."
    ),
    CourseAspect.COURSE_ASPECT_LANGUAGE: Aspect(5, _spoken, "Give the language it is taught in."),
    CourseAspect.COURSE_ASPECT_END: Aspect(5, _ending, "Give each session its last day."),
    CourseAspect.COURSE_ASPECT_SUBJECTS: Aspect(
        5, lambda document: bool(document["subjects"]), "Name its subjects."
    ),
}
