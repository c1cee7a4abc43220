"""Of courses that are the same: whose word counts, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from services.catalogue.domain.courses import FIELDS, Document, sessions


class Said(Protocol):
    """A course as its source and people describe it. `field_precedence`: field → number, where it is not
    `precedence`."""

    document: Document
    corrections: Mapping[str, Any]
    precedence: int
    field_precedence: Mapping[str, int]


S = TypeVar("S", bound=Said)


def chosen(courses: Sequence[S]) -> dict[str, S]:
    """Returns for each of FIELDS the course whose value counts: one that says something before one that does
    not, a correction before a feed, then the source with the higher number; of equal ones the first."""
    return {field: max(courses, key=lambda course: _rank(course, field)) for field in FIELDS}


def _rank(course: Said, field: str) -> tuple[bool, bool, int]:
    number = course.field_precedence.get(field, course.precedence)
    return _says(course.document, field), field in course.corrections, number


def _says(document: Document, field: str) -> bool:
    return any(sessions(document)) if field == "offerings" else bool(document.get(field))
