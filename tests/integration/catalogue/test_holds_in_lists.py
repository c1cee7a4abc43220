"""What is held back is in no list, export or copy of everybody's; its own organisation and staff see it."""

from __future__ import annotations

import pytest
from sqlalchemy import false
from waymark.catalogue.v1 import course_change_pb2, course_export_pb2_grpc
from waymark.catalogue.v1 import course_export_pb2 as export_pb
from waymark.catalogue.v1 import quality_hold_pb2 as hold_pb

from services.catalogue.api import quality_holds as api
from services.catalogue.store import course_changes, courses
from tests.integration.catalogue.copies import Copy, served
from tests.integration.catalogue.feeds import feed, many, row
from tests.integration.catalogue.holds import calls as hold_calls
from tests.integration.catalogue.holds import lift, place
from tests.support.catalogue import Catalogue, day, until_settled
from tests.support.servers import token

FORMATS = [each for each in export_pb.CourseExportFormat.values() if each]


@pytest.fixture
def held(catalogue: Catalogue) -> str:
    """Two organisations with Welding and Baking, of which Welding is to be held back; its name."""
    for name, title in (("harbour", "Welding"), ("other", "Baking")):
        catalogue.feed(catalogue.source(catalogue.organisation(name)), feed(row(title, title)))
    return next(name for name, each in served(catalogue).items() if each.titles["en"] == "Welding")


def titles(catalogue: Catalogue, access: str = "") -> dict[str, bool]:
    """What is listed, and whether it is marked as held back."""
    return {each.titles["en"]: each.on_hold for each in served(catalogue, access).values()}


def found(catalogue: Catalogue) -> set[str]:
    return {hit.course for hit in catalogue.search(as_of=day("2030-01-15")).hits}


def exported(catalogue: Catalogue, form: int, access: str | None = None) -> bytes:
    calls = catalogue.stub(course_export_pb2_grpc.CourseExportServiceStub, access)
    return b"".join(each.data for each in calls.ExportCourses(export_pb.ExportCoursesRequest(format=form)))


@pytest.mark.parametrize("subject", ["course", "organisation"])
def test_lists_and_exports_of_everybody_leave_it_out(catalogue: Catalogue, held: str, subject: str) -> None:
    own, others = (token("provider", org=f"organisations/{name}") for name in ("harbour", "other"))
    staff, auditor = catalogue.manager, token("auditor")
    public = ("", others, token("learner"), token("counsellor"))
    everyone = (*public, own, staff, auditor)
    assert all(titles(catalogue, each) == {"Welding": False, "Baking": False} for each in everyone)
    assert all(b"Welding" in exported(catalogue, form) for form in FORMATS)
    hold = place(catalogue, held if subject == "course" else "organisations/harbour")
    assert all(titles(catalogue, each) == {"Baking": False} for each in public)
    assert all(
        titles(catalogue, each) == {"Welding": True, "Baking": False} for each in (own, staff, auditor)
    )
    for form in FORMATS:
        assert b"Welding" not in exported(catalogue, form)
        assert b"Baking" in exported(catalogue, form)
    lift(catalogue, hold.name)
    assert all(titles(catalogue, each) == {"Welding": False, "Baking": False} for each in everyone)
    assert all(b"Welding" in exported(catalogue, form) for form in FORMATS)


@pytest.mark.parametrize("subject", ["course", "organisation"])
def test_an_organisation_finds_what_its_export_lacks(catalogue: Catalogue, subject: str) -> None:
    source = catalogue.source(catalogue.organisation("harbour"))
    catalogue.feed(source, feed(row("A1", "Welding"), row("A2", "Baking")))
    own = token("provider", org="organisations/harbour")
    held = next(name for name, each in served(catalogue, own).items() if each.external_id == "A1")
    hold = place(catalogue, held if subject == "course" else "organisations/harbour")
    mine = served(catalogue, own)
    lacks = {each.titles["en"] for each in mine.values() if each.on_hold}
    assert lacks == ({"Welding"} if subject == "course" else {"Welding", "Baking"})
    for form in FORMATS:
        file = exported(catalogue, form, own)
        assert {each for each in ("Welding", "Baking") if each.encode() not in file} == lacks
    listed = hold_calls(catalogue, own).ListQualityHolds(hold_pb.ListQualityHoldsRequest(open_only=True))
    (told,) = listed.quality_holds
    assert (told.name, told.reason) == (hold.name, hold.reason)
    assert told.subject in (held, mine[held].organisation)


def test_a_list_that_looks_at_no_holds_shows_it(
    catalogue: Catalogue, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(catalogue, held)
    monkeypatch.setattr(courses, "ON_HOLD", false())
    assert titles(catalogue) == {"Welding": True, "Baking": False}
    assert b"Welding" in exported(catalogue, FORMATS[0])


@pytest.mark.parametrize("subject", ["course", "organisation"])
def test_who_keeps_a_copy_holds_what_a_search_shows(
    catalogue: Catalogue, held: str, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "TOLD_AT_ONCE", 1)  # its last course makes a round of its own
    early, late = Copy(catalogue), Copy(catalogue)
    until_settled(catalogue.app.engine)
    early.begin()

    def agree(*wanted: str) -> None:
        api.tell_followers(catalogue.app)
        early.follow_to_the_end()
        late.follow()
        late.begin()
        for copy in (early, late):
            assert {each.titles["en"] for each in copy.courses.values()} == set(wanted)
            assert copy.courses == served(catalogue)
        catalogue.wait_for(lambda: found(catalogue) == set(early.courses))

    agree("Welding", "Baking")
    hold = place(catalogue, held if subject == "course" else "organisations/harbour")
    agree("Baking")
    lift(catalogue, hold.name)
    agree("Welding", "Baking")


def test_a_change_says_that_it_is_held_back_until_it_is_removed(catalogue: Catalogue) -> None:
    source = catalogue.source(catalogue.organisation("harbour"), removal_limit_percent=100)
    catalogue.feed(source, feed(*many(2)))
    course = next(name for name, each in served(catalogue).items() if each.external_id == "C1")
    calls = Copy(catalogue).calls

    def told() -> course_change_pb2.CourseChange:
        until_settled(catalogue.app.engine)
        answer = calls.ListCourseChanges(course_change_pb2.ListCourseChangesRequest())
        return next(each for each in answer.course_changes if each.name == course)

    assert (told().removed, told().on_hold, told().HasField("course")) == (False, False, True)
    place(catalogue, course)
    assert (told().removed, told().on_hold, told().HasField("course")) == (True, True, False)
    assert not told().HasField("remove_time")
    catalogue.feed(source, feed(*many(1)))
    assert (told().removed, told().on_hold, told().HasField("remove_time")) == (True, False, True)


@pytest.mark.parametrize("off", ["", "tombstones", "snapshot", "telling"])
def test_copies_go_wrong_without_what_tells_them(
    catalogue: Catalogue, held: str, monkeypatch: pytest.MonkeyPatch, off: str
) -> None:
    until_settled(catalogue.app.engine)
    copy = Copy(catalogue)
    copy.begin()
    hold = place(catalogue, "organisations/harbour")
    if off != "telling":
        api.tell_followers(catalogue.app)
    if off in ("tombstones", "snapshot"):
        monkeypatch.setattr(course_changes, "ON_HOLD", false())
    if off == "snapshot":
        copy.courses.clear()
        until_settled(catalogue.app.engine)
        copy.begin()
    copy.follow_to_the_end()
    assert (copy.courses == served(catalogue)) == (off == "")
    lift(catalogue, hold.name)


def test_all_courses_of_a_large_organisation_are_told_of_in_rounds(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "TOLD_AT_ONCE", 3)
    catalogue.feed(catalogue.source(catalogue.organisation("harbour")), feed(*many(7)))
    until_settled(catalogue.app.engine)
    copy = Copy(catalogue)
    copy.begin()
    hold = place(catalogue, "organisations/harbour")
    assert [api.tell_next(catalogue.app) for _ in range(2)] == [True, True]
    assert copy.follow_to_the_end() == 6
    lift(catalogue, hold.name)  # half way: all are told of anew
    api.tell_followers(catalogue.app)
    assert not api.tell_next(catalogue.app)
    assert copy.follow_to_the_end() == 7
    assert copy.courses == served(catalogue)
