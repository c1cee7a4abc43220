"""Documents of courses: identity, corrections, sessions."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from services.catalogue.domain import courses

SOURCE = "018f0000-0000-7000-8000-000000000001"
OTHER = "018f0000-0000-7000-8000-000000000002"


def test_identity_follows_from_source_and_id() -> None:
    assert courses.course_id(SOURCE, "A1") == courses.course_id(SOURCE, "A1")
    assert courses.course_id(SOURCE, "A1") != courses.course_id(OTHER, "A1")
    course = courses.course_id(SOURCE, "A1")
    assert courses.session_id(course, "1") != courses.session_id(courses.course_id(OTHER, "A1"), "1")


@pytest.mark.parametrize("external_id", ["", "A1", "https://partner.example/Köln/1", "課程" * 200])
def test_ids_are_name_based_uuids(external_id: str) -> None:
    for namespace in (SOURCE, OTHER.upper()):
        wanted = str(uuid.uuid5(uuid.UUID(namespace), external_id))
        assert courses.course_id(namespace, external_id) == wanted
        assert courses.session_id(namespace, external_id) == wanted


def test_corrections_take_the_place_of_the_feeds_fields() -> None:
    imported = {"titles": {"en": "Weldng"}, "kind": "course"}
    served = courses.corrected(imported, {"titles": {"value": {"en": "Welding"}}})
    assert served == {"titles": {"en": "Welding"}, "kind": "course"}
    assert imported["titles"] == {"en": "Weldng"}
    assert courses.corrected(imported, {}) is imported


def test_bookable() -> None:
    day = date(2026, 5, 1)
    assert courses.bookable({"start": "2026-05-01"}, day)
    assert not courses.bookable({"start": "2026-04-30", "end": "2026-12-31"}, day)
    assert courses.bookable({}, day)
    assert courses.bookable({"end": "2026-05-01"}, day)
    assert not courses.bookable({"end": "2026-04-30"}, day)


def test_prefixes() -> None:
    assert courses.isco_prefixes({"occupations": [{"isco": "2512"}]}) == {"2", "25", "251", "2512"}
    assert courses.nuts_prefixes(["BE211"]) == {"BE", "BE2", "BE21", "BE211"}


def test_sessions_in_order_with_permanent_entry_last() -> None:
    document = {
        "offerings": [
            {"mode": 1, "language": "", "sessions": [{"id": "b"}, {"id": "a", "start": "2026-02-01"}]},
            {"mode": 2, "language": "", "sessions": [{"id": "c", "start": "2026-01-01"}]},
        ]
    }
    ordered = sorted(courses.sessions(document), key=courses.session_order)
    assert [(s["id"], s["mode"]) for s in ordered] == [("c", 2), ("a", 1), ("b", 1)]
