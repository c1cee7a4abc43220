"""Courses: corrections that outlive imports, sessions, events with the whole state."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from waymark.catalogue.v1 import course_pb2, events_pb2, organisation_pb2

from tests.integration.catalogue.feeds import feed, row
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import DEVELOPER, NURSE, Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.servers import token

Course = course_pb2.Course


@pytest.fixture
def one(catalogue: Catalogue) -> Any:
    with_taxonomy(catalogue)
    source = catalogue.source(catalogue.organisation("harbour"))
    rows = [row("A", "Weldng"), row("A", "", session_id="S2", start_date="2030-01-01", price="-")]
    rows[1]["price"] = "250,5"
    catalogue.feed(source, feed(*rows))
    course = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses[0]
    return catalogue, source, rows, course


def correct(catalogue: Catalogue, course: Any, *paths: str, **values: Any) -> Any:
    access = values.pop("access", None)
    revert = values.pop("revert", False)
    given = Course(name=course.name, etag=course.etag, **values)
    request = course_pb2.CorrectCourseRequest(course=given, update_mask=FieldMask(paths=paths), revert=revert)
    return catalogue.courses(access).CorrectCourse, request


def test_a_correction_survives_the_next_import_and_can_be_taken_back(one: Any) -> None:
    catalogue, source, rows, course = one
    call, request = correct(
        catalogue,
        course,
        "titles",
        "occupations",
        titles={"en": "Welding"},
        occupations=[course_pb2.OccupationTag(uri=NURSE)],
    )
    corrected = call(request)
    assert (dict(corrected.titles), list(corrected.corrected_fields)) == (
        {"en": "Welding"},
        ["occupations", "titles"],
    )
    assert corrected.occupations[0].origin == course_pb2.TAG_ORIGIN_PERSON
    assert reason_of(call, request) == "ETAG_STALE"
    rows[0]["title"], rows[0]["eqf_level"] = "Wellding", "5"
    catalogue.feed(source, feed(*rows))
    served = catalogue.courses("").GetCourse(course_pb2.GetCourseRequest(name=course.name))
    assert (served.titles["en"], served.eqf_level, served.occupations[0].uri) == ("Welding", 5, NURSE)
    origins = {origin.field: origin for origin in served.origins}
    title, level = origins["titles"], origins["eqf_level"]
    assert (title.kind, level.kind) == (course_pb2.FieldOrigin.KIND_CORRECTION, 1)
    assert (title.source, title.feed_value) == (source, Course(titles={"en": "Wellding"}))
    assert title.HasField("correct_time")
    assert not level.HasField("feed_value")
    call, request = correct(catalogue, served, "titles", revert=True)
    assert call(request).titles["en"] == "Wellding"
    told = events(catalogue, events_pb2.CourseChanged)
    assert [event.version for event in told] == [1, 2, 3, 4]
    assert told[1].occupations[0].isco_code == "2221"


def test_who_may_correct_and_what(one: Any) -> None:
    catalogue, _, _, course = one
    other = catalogue.organisation("other")
    call, request = correct(catalogue, course, "kind", kind="exam", access=token("provider", org=other))
    assert reason_of(call, request) == "NOT_FOUND"
    for paths, values in (
        (["offerings"], {}),
        ([], {}),
        (["url"], {"url": "javascript:alert(1)"}),
        (["titles"], {}),
        (["occupations"], {"occupations": [course_pb2.OccupationTag(uri="http://x/y")]}),
    ):
        call, request = correct(catalogue, course, *paths, **values)
        assert reason_of(call, request) == "INVALID_ARGUMENT"
    own = token("provider", org="organisations/harbour")
    call, request = correct(catalogue, course, "kind", kind="exam", access=own)
    assert call(request).kind == "exam"


def test_a_removed_course_answers_as_removed(one: Any) -> None:
    catalogue, source, _, course = one
    rows = [row("B", "Other")]
    run = catalogue.feed(source, feed(*rows))
    from waymark.catalogue.v1 import feed_run_pb2

    from tests.support.catalogue import run_waiting

    catalogue.feed_runs().ApproveFeedRun(feed_run_pb2.ApproveFeedRunRequest(name=run.name))
    run_waiting(catalogue.app)
    served = catalogue.courses("").GetCourse(course_pb2.GetCourseRequest(name=course.name))
    assert served.removed
    call, request = correct(catalogue, served, "kind", kind="exam")
    assert reason_of(call, request) == "WRONG_STATE"
    missing = course_pb2.GetCourseRequest(name="courses/00000000-0000-4000-8000-000000000000")
    assert reason_of(catalogue.courses("").GetCourse, missing) == "NOT_FOUND"


def test_sessions_in_order_paged(one: Any) -> None:
    catalogue, _, _, course = one
    request = course_pb2.ListSessionsRequest(parent=course.name, page_size=1)
    first = catalogue.courses("").ListSessions(request)
    assert first.sessions[0].start_date == day("2030-01-01")
    assert (first.sessions[0].price.units, first.sessions[0].price.nanos) == (250, 500_000_000)
    request.page_token = first.next_page_token
    second = catalogue.courses("").ListSessions(request)
    assert (second.sessions[0].start_date, second.next_page_token) == (day("2030-03-01"), "")
    request.start_from.CopyFrom(day("2030-02-01"))
    assert reason_of(catalogue.courses("").ListSessions, request) == "PAGE_TOKEN_INVALID"
    request.page_token = ""
    assert len(catalogue.courses("").ListSessions(request).sessions) == 1


def test_the_event_carries_the_whole_state(one: Any) -> None:
    catalogue, _, _, course = one
    event = events(catalogue, events_pb2.CourseChanged)[0]
    assert (event.course, event.organisation, event.kind, event.eqf_level) == (
        course.name,
        "organisations/harbour",
        "course",
        4,
    )
    assert dict(event.titles) == dict(course.titles)
    assert event.titles
    assert {s.nuts_code for s in event.sessions} == {"BE211"}
    assert len(event.sessions) == 2
    assert DEVELOPER not in {o.uri for o in event.occupations}


def test_who_awards_is_an_organisation_where_the_catalogue_has_one_of_the_name(catalogue: Catalogue) -> None:
    source = catalogue.source(catalogue.organisation("harbour"))
    catalogue.feed(source, feed(row("A", "Welding", awarding_body="Guild of  WELDERS"), row("B", "Sewing")))

    def added(name: str, *roles: str) -> str:
        given = organisation_pb2.Organisation(display_name="Guild of Welders", roles=roles)
        request = organisation_pb2.CreateOrganisationRequest(organisation=given, organisation_id=name)
        return str(catalogue.organisations().CreateOrganisation(request).name)

    def told() -> list[tuple[str, str]]:
        listed = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
        found = sorted((each.awarding_body, each.awarding_organisation) for each in listed)
        for each in listed:
            alone = catalogue.courses("").GetCourse(course_pb2.GetCourseRequest(name=each.name))
            assert alone.awarding_organisation == each.awarding_organisation
        return found

    added("guild-school", "ORGANISATION_ROLE_PROVIDER")  # of the name, but awards nothing
    assert told() == [("", ""), ("Guild of WELDERS", "")]
    guild = added("guild", "ORGANISATION_ROLE_AWARDING_BODY")
    assert told() == [("", ""), ("Guild of WELDERS", guild)]
    added("guild-two", "ORGANISATION_ROLE_AWARDING_BODY")  # nobody knows which of them is meant
    assert told() == [("", ""), ("Guild of WELDERS", "")]
