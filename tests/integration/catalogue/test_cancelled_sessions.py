"""A session that is cancelled, by its feed or by a person: nobody finds it to book, and others are told."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from waymark.catalogue.v1 import course_pb2 as pb
from waymark.catalogue.v1 import events_pb2

from tests.integration.catalogue.feeds import feed, row
from tests.integration.catalogue.outbox import events
from tests.integration.catalogue.test_pushes import course as pushed_course
from tests.integration.catalogue.test_pushes import parts, pushed
from tests.support.catalogue import Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.servers import token

CANCELLED, SCHEDULED = pb.SESSION_STATUS_CANCELLED, pb.SESSION_STATUS_SCHEDULED
ROWS = [
    row("W", "Welding", session_id="S1", start_date="2030-03-01"),
    row("W", "Welding", session_id="S2", start_date="2030-05-01"),
]


@pytest.fixture
def source(catalogue: Catalogue) -> str:
    source = catalogue.source(catalogue.organisation("harbour"))
    catalogue.feed(source, feed(*ROWS))
    return source


def read(catalogue: Catalogue) -> pb.Course:
    return catalogue.courses("").ListCourses(pb.ListCoursesRequest()).courses[0]


def statuses(catalogue: Catalogue) -> dict[str, int]:
    request = pb.ListSessionsRequest(parent=read(catalogue).name)
    return {each.external_id: each.status for each in catalogue.courses("").ListSessions(request).sessions}


def session(catalogue: Catalogue, key: str) -> str:
    sessions = (each for offering in read(catalogue).offerings for each in offering.sessions)
    return next(each.name for each in sessions if each.external_id == key)


def told(catalogue: Catalogue) -> dict[str, bool]:
    """What others were last told of the sessions."""
    last = events(catalogue, events_pb2.CourseChanged)[-1]
    return {each.session: each.cancelled for each in last.sessions}


def next_start(catalogue: Catalogue) -> Any:
    """The first day of what a search shows as next; None when it shows nothing to book."""
    hits = catalogue.search("welding", as_of=day("2030-01-15")).hits
    return hits[0].next_session.start_date if hits else None


def correct(
    catalogue: Catalogue, *sessions: str, access: str | None = None, revert: bool = False
) -> pb.Course:
    given = pb.Course(name=read(catalogue).name, cancelled_sessions=sessions)
    mask = FieldMask(paths=["cancelled_sessions"])
    request = pb.CorrectCourseRequest(course=given, update_mask=mask, revert=revert)
    return catalogue.courses(access).CorrectCourse(request)


def test_a_feed_cancels_a_session(catalogue: Catalogue, source: str) -> None:
    catalogue.wait_for(lambda: next_start(catalogue) == day("2030-03-01"))
    catalogue.feed(source, feed(ROWS[0] | {"status": "cancelled"}, ROWS[1]))
    assert statuses(catalogue) == {"S1": CANCELLED, "S2": SCHEDULED}
    assert told(catalogue) == {session(catalogue, "S1"): True, session(catalogue, "S2"): False}
    assert not read(catalogue).cancelled_sessions
    catalogue.wait_for(lambda: next_start(catalogue) == day("2030-05-01"))
    catalogue.feed(source, feed(*(each | {"status": "cancelled"} for each in ROWS)))
    catalogue.wait_for(lambda: next_start(catalogue) is None)
    catalogue.feed(source, feed(*ROWS))  # it takes place after all
    assert set(told(catalogue).values()) == {False}
    catalogue.wait_for(lambda: next_start(catalogue) == day("2030-03-01"))


def test_a_person_cancels_one_whatever_the_feed_says_until_it_is_taken_back(
    catalogue: Catalogue, source: str
) -> None:
    first = session(catalogue, "S1")
    corrected = correct(catalogue, first, access=token("provider", org="organisations/harbour"))
    assert list(corrected.cancelled_sessions) == [first]
    assert list(corrected.corrected_fields) == ["cancelled_sessions"]
    assert (statuses(catalogue), told(catalogue)[first]) == ({"S1": CANCELLED, "S2": SCHEDULED}, True)
    catalogue.feed(source, feed(*(each | {"title": "Welding anew"} for each in ROWS)))
    assert (statuses(catalogue), told(catalogue)[first]) == ({"S1": CANCELLED, "S2": SCHEDULED}, True)
    catalogue.feed(source, feed(ROWS[1], ROWS[1] | {"session_id": "S3"}))
    correct(catalogue, first, session(catalogue, "S3"))  # one that the feed names no more may stay
    assert statuses(catalogue) == {"S2": SCHEDULED, "S3": CANCELLED}
    correct(catalogue, revert=True)
    assert statuses(catalogue) == {"S2": SCHEDULED, "S3": SCHEDULED}
    assert not read(catalogue).corrected_fields


def test_who_may_cancel_and_which(catalogue: Catalogue, source: str) -> None:
    first = session(catalogue, "S1")
    other = token("provider", org=catalogue.organisation("other"))
    assert reason_of(lambda name: correct(catalogue, name, access=other), first) == "NOT_FOUND"
    for wrong in (first[:-1] + "x", f"courses/other/sessions/{first.rpartition('/')[2]}", "S1"):
        assert reason_of(lambda name: correct(catalogue, name), wrong) == "INVALID_ARGUMENT"
    assert reason_of(lambda name: correct(catalogue, name, name), first) == "INVALID_ARGUMENT"
    assert statuses(catalogue) == {"S1": SCHEDULED, "S2": SCHEDULED}


def test_one_is_pushed_as_cancelled(catalogue: Catalogue) -> None:
    source = catalogue.source(catalogue.organisation("partner"), "PUSH")
    one = pushed_course("W")
    one.sessions[0].status = CANCELLED
    pushed(catalogue, parts(source, [one]))
    assert statuses(catalogue) == {"S1": CANCELLED}
    one.sessions[0].status = SCHEDULED
    pushed(catalogue, parts(source, [one]))
    assert statuses(catalogue) == {"S1": SCHEDULED}
