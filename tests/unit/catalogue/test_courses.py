"""Documents of courses: identity, corrections, sessions."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from services.catalogue import events
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


def offered(**sessions: bool) -> courses.Document:
    """A course with an offering for each session: by id, whether the feed says that it is cancelled."""
    return {
        "offerings": [
            {"mode": 1, "language": "", "sessions": [{"id": key} | ({"cancelled": True} if said else {})]}
            for key, said in sessions.items()
        ]
    }


def cancelled(document: courses.Document) -> list[str]:
    return [session["id"] for session in courses.sessions(document) if courses.is_cancelled(session)]


def test_a_person_cancels_beside_the_feed() -> None:
    imported = offered(a=False, b=True, c=False)
    correction = {courses.CANCELLED: {"value": ["a", "gone"]}, "kind": {"value": "exam"}}
    served = courses.corrected(imported, correction)
    assert (cancelled(served), cancelled(imported), served["kind"]) == (["a", "b"], ["b"], "exam")
    assert courses.CANCELLED not in served


def test_what_takes_place() -> None:
    left = courses.taking_place(offered(a=False, b=True))
    assert [session["id"] for session in courses.sessions(left)] == ["a"]
    assert len(left["offerings"]) == 1
    assert courses.taking_place(offered(b=True)) == {"offerings": []}
    whole = offered(a=False)
    assert courses.taking_place(whole) is whole


def test_others_are_told_what_is_cancelled_also_of_a_course_on_hold() -> None:
    document = offered(a=False, b=True) | {
        "kind": "course",
        "eqf_level": 4,
        "occupations": [],
        "subjects": [],
        "titles": {},
    }
    told = [
        [(each.session[-1], each.cancelled) for each in event.sessions]
        for held in (False, True)
        if (event := events.course_changed("c", 1, "o", document, removed=False, held=held))
    ]
    assert told == [[("a", False), ("b", True)], [("b", True)]]


def test_others_are_told_until_when_one_can_enrol() -> None:
    dates = {"start": "2030-03-01", "apply_from": "2030-01-02", "apply_until": "2030-02-03"}
    session = {"id": "a", "external_id": "a", **dates}
    document = {
        "kind": "",
        "eqf_level": 0,
        "occupations": [],
        "subjects": [],
        "titles": {},
        "offerings": [{"mode": 0, "language": "", "sessions": [session]}],
    }
    (told,) = events.course_changed("c", 1, "o", document, removed=False, held=False).sessions
    assert [(d.year, d.month, d.day) for d in (told.apply_from, told.apply_until)] == [
        (2030, 1, 2),
        (2030, 2, 3),
    ]
    assert not told.HasField("end_date")


def test_bookable() -> None:
    day = date(2026, 5, 1)
    assert courses.bookable({"start": "2026-05-01"}, day)
    assert not courses.bookable({"start": "2026-04-30", "end": "2026-12-31"}, day)
    assert courses.bookable({}, day)
    assert courses.bookable({"end": "2026-05-01"}, day)
    assert not courses.bookable({"end": "2026-04-30"}, day)
    for apply_until, can_be in (("2026-04-30", False), ("2026-05-01", True), ("2026-12-31", True)):
        assert courses.bookable({"start": "2026-06-01", "apply_until": apply_until}, day) is can_be
        assert courses.bookable({"apply_until": apply_until}, day) is can_be
        assert not courses.bookable({"start": "2026-04-30", "apply_until": apply_until}, day)


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
