"""Courses that a feed leaves out: missing for the grace of their source, then removed; back as they were."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from waymark.catalogue.v1 import course_pb2, events_pb2, feed_run_pb2, search_pb2, source_pb2

from services.catalogue.imports import pipeline
from tests.integration.catalogue.feeds import feed, many
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import Catalogue, run_waiting
from tests.support.portfolio import reason_of

Run = feed_run_pb2.FeedRun
ALL, LESS = feed(*many(10)), feed(*many(9))  # C9 is left out


@pytest.fixture
def source(catalogue: Catalogue) -> str:
    """A source that lets two feeds leave a course out."""
    return catalogue.source(catalogue.organisation("harbour"), removal_grace_feeds=2)


def course(catalogue: Catalogue, external_id: str = "C9") -> Any:
    listed = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest(page_size=200)).courses
    return next((each for each in listed if each.external_id == external_id), None)


def sessions(found: Any) -> int:
    return sum(len(offering.sessions) for offering in found.offerings)


def told(catalogue: Catalogue, name: str) -> list[tuple[int, bool, int]]:
    """Version, removed and number of sessions, as others were told of a course."""
    changes = events(catalogue, events_pb2.CourseChanged)
    return [(each.version, each.removed, len(each.sessions)) for each in changes if each.course == name]


def test_missing_then_removed_when_the_grace_is_over(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, ALL)
    name, open_sessions = course(catalogue).name, sessions(course(catalogue))
    assert open_sessions
    for _ in range(2):
        run = catalogue.feed(source, LESS)
        assert (run.courses_missing, run.courses_removed, run.courses_unchanged) == (1, 0, 9)
        found = course(catalogue)
        assert found.HasField("missing_time")
        assert (found.removed, sessions(found), len(found.offerings)) == (False, 0, 1)
    assert told(catalogue, name) == [(1, False, open_sessions), (2, False, 0)]  # once, not at each feed
    run = catalogue.feed(source, LESS)
    assert (run.courses_missing, run.courses_removed) == (0, 1)
    assert course(catalogue) is None
    assert catalogue.courses("").GetCourse(course_pb2.GetCourseRequest(name=name)).removed
    assert told(catalogue, name)[2:] == [(3, True, 0)]
    assert catalogue.feed(source, LESS).courses_removed == 0


def test_named_again_it_is_as_it_was_and_counts_from_nothing(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, ALL)
    before = course(catalogue)
    for _ in range(2):
        catalogue.feed(source, LESS)
        catalogue.feed(source, LESS)
        run = catalogue.feed(source, ALL)
        assert (run.courses_updated, run.courses_created, run.courses_unchanged) == (1, 0, 9)
        back = course(catalogue)
        assert not back.HasField("missing_time")
        assert back.offerings == before.offerings
    assert [removed for _, removed, _ in told(catalogue, before.name)] == [False] * 5


@pytest.mark.parametrize("partial", [False, True])
def test_a_feed_that_names_it_wrongly_has_not_left_it_out(
    catalogue: Catalogue, source: str, partial: bool
) -> None:
    """Only feeds in a row count: one in between named it, in a record that could not be used."""
    catalogue.feed(source, ALL)
    for _ in range(2):
        catalogue.feed(source, LESS)
    wrong = many(10)[9] | {"price": "-1"}
    named = feed(wrong) if partial else feed(*many(9), wrong)
    run = catalogue.feed(source, named, partial=partial)
    assert (run.records_rejected, run.courses_missing) == (1, 0)
    for _ in range(2):
        assert catalogue.feed(source, LESS).courses_removed == 0
    assert catalogue.feed(source, LESS).courses_removed == 1


def test_a_partial_feed_that_names_it_brings_it_back(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, ALL)
    catalogue.feed(source, LESS)
    catalogue.feed(source, feed(many(10)[9]), partial=True)
    assert not course(catalogue).HasField("missing_time")
    assert sessions(course(catalogue))


def test_a_correction_while_missing_opens_no_session(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, ALL)
    correct(catalogue, "Corrected")
    catalogue.feed(source, LESS)
    correct(catalogue, "Corrected again")
    assert sessions(course(catalogue)) == 0
    catalogue.feed(source, ALL)
    assert sessions(course(catalogue))
    assert course(catalogue).titles["en"] == "Corrected again"


def correct(catalogue: Catalogue, title: str) -> None:
    change = course_pb2.Course(name=course(catalogue).name, titles={"en": title})
    request = course_pb2.CorrectCourseRequest(course=change, update_mask=FieldMask(paths=["titles"]))
    catalogue.courses().CorrectCourse(request)


def test_search_shows_no_missing_course_as_bookable(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, ALL)

    def found(**options: Any) -> int:
        request = search_pb2.SearchCoursesRequest(page_size=50, **options)
        return int(catalogue.searches("").SearchCourses(request).total_size)

    as_of = {"as_of": {"year": 2000, "month": 1, "day": 1}}
    catalogue.wait_for(lambda: found(**as_of) == 10)
    catalogue.feed(source, LESS)
    catalogue.wait_for(lambda: found(**as_of) == 9)
    assert found(**as_of, include_not_bookable=True) == 10


def test_the_guard_holds_all_the_same(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, ALL)
    run = catalogue.feed(source, feed(*many(5)))
    assert (run.state, run.courses_missing, run.courses_removed) == (Run.STATE_HELD, 5, 0)
    assert not course(catalogue).HasField("missing_time")
    rejected = catalogue.feed_runs().RejectFeedRun(feed_run_pb2.RejectFeedRunRequest(name=run.name))
    assert rejected.courses_missing == 0


def test_a_run_that_was_killed_counts_a_feed_once(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.feed(source, ALL)
    whole = pipeline.FeedImport.remove

    class Killed(BaseException):
        """Stands for kill -9."""

    def dies(self: Any) -> None:
        whole(self)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.FeedImport, "remove", dies)
        with pytest.raises(Killed):
            catalogue.feed(source, LESS)
    run_waiting(catalogue.app)
    catalogue.feed(source, LESS)
    assert course(catalogue) is not None  # two feeds, not three
    catalogue.feed(source, LESS)
    assert course(catalogue) is None


def test_without_a_grace_the_first_feed_removes(catalogue: Catalogue, source: str) -> None:
    """Control; and the grace can be taken away from a source while a course is missing."""
    catalogue.feed(source, ALL)
    catalogue.feed(source, LESS)
    change = source_pb2.UpdateSourceRequest(
        source=source_pb2.Source(name=source), update_mask=FieldMask(paths=["removal_grace_feeds"])
    )
    assert catalogue.sources().UpdateSource(change).removal_grace_feeds == 0
    assert catalogue.feed(source, LESS).courses_removed == 1
    assert catalogue.feed(source, feed(*many(8))).courses_removed == 1
    change.source.removal_grace_feeds = 101
    assert reason_of(catalogue.sources().UpdateSource, change) == "INVALID_ARGUMENT"
