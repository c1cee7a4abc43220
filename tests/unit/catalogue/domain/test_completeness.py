"""How complete a course is: each aspect counts its weight, and what does not apply counts neither way."""

from __future__ import annotations

from typing import Any

import pytest

from services.catalogue.domain.completeness import ASPECTS, measure

SESSION = {
    "id": "s",
    "external_id": "s",
    "start": "2030-01-01",
    "end": "2030-02-01",
    "cents": 100,
    "town": "Gent",
}


def course(session: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    sessions = [SESSION if session is None else session]
    return {
        "titles": {"en": "Welding"},
        "descriptions": {"en": "x" * 200},
        "kind": "course",
        "eqf_level": 4,
        "url": "https://a.example",
        "subjects": ["metal"],
        "occupations": [{"origin": 1}],
        "offerings": [{"mode": 1, "language": "nl", "sessions": sessions}],
        **changes,
    }


def lacking(**changes: Any) -> dict[str, int]:
    from waymark.catalogue.v1.course_completeness_pb2 import CourseAspect

    found = measure(course(**changes)).lacks
    return {CourseAspect.Name(key).removeprefix("COURSE_ASPECT_"): points for key, points in found.items()}


def test_a_course_that_tells_all_has_100_and_the_weights_are_that() -> None:
    assert measure(course()) == (100, {})
    assert sum(aspect.weight for aspect in ASPECTS.values()) == 100


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"descriptions": {"en": "x" * 199, "nl": ""}}, {"DESCRIPTION": 20}),
        ({"occupations": [{"origin": 2}]}, {"OCCUPATIONS": 15}),
        ({"url": ""}, {"URL": 10}),
        ({"eqf_level": 0, "subjects": []}, {"EQF_LEVEL": 10, "SUBJECTS": 5}),
        ({"session": {**SESSION, "town": ""}}, {"PLACE": 10}),
        (
            {"session": {"id": "s", "external_id": "s", "nuts": "BE2"}},
            {"PRICE": 11},
        ),  # no start, so no end either
        (
            {"offerings": [{"mode": 2, "language": "", "sessions": [{**SESSION, "town": ""}]}]},
            {"LANGUAGE": 6},
        ),
        ({"offerings": [{"mode": 1, "language": "nl", "sessions": []}]}, {"SESSION": 13}),
        ({"kind": "guidance", "occupations": [], "eqf_level": 0}, {}),
    ],
)
def test_what_is_lacking_and_what_it_would_add(changes: Any, lacks: dict[str, int]) -> None:
    assert lacking(**changes) == lacks
    assert measure(course(**changes)).score == 100 - sum(lacks.values())
