"""Who follows a snapshot and the changes after it holds what the catalogue holds, under load as well."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import text, true
from waymark.catalogue.v1 import course_change_pb2, course_change_pb2_grpc, course_pb2

from services.catalogue.api.quality_holds import tell_followers
from services.catalogue.imports import pipeline
from services.catalogue.store import course_changes
from services.platform.db.transaction import Transaction, transaction
from services.platform.rpc import watching
from services.platform.rpc.streams import Streams
from tests.integration.catalogue.copies import Copy, served
from tests.integration.catalogue.feeds import feed, many
from tests.integration.catalogue.holds import calls, lift, place, placing
from tests.support.catalogue import Catalogue, until_settled
from tests.support.portfolio import reason_of
from tests.support.servers import token

TOUCH = text("UPDATE courses SET version = version + 1 WHERE external_id = :key")


def touch(tx: Transaction, key: str) -> None:
    tx.execute(TOUCH, {"key": key})


@pytest.fixture
def source(catalogue: Catalogue) -> str:
    return catalogue.source(catalogue.organisation("harbour"), removal_limit_percent=100)


def test_a_copy_equals_the_catalogue_while_writers_run(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "APPLY_BATCH", 5)
    monkeypatch.setattr(course_changes, "AT_ONCE", 4)
    catalogue.feed(source, feed(*many(40)))
    chance, copy = random.Random(7), Copy(catalogue)

    def imports() -> None:
        rows = chance.sample(many(60), chance.randint(20, 50))
        for row in rows:
            row["title"] += f" {chance.random()}"
        assert catalogue.feed(source, feed(*rows)).state == 4

    def corrects() -> None:
        course = random.choice(list(served(catalogue, catalogue.manager).values()))
        request = course_pb2.CorrectCourseRequest(
            course=course_pb2.Course(name=course.name, titles={"en": f"Corrected {time.monotonic()}"}),
            update_mask=FieldMask(paths=["titles"]),
        )
        if reason := reason_of_or_none(catalogue.courses().CorrectCourse, request):
            assert reason == "WRONG_STATE"  # removed just now

    def holds() -> None:
        organisation = insisted(lambda: place(catalogue, "organisations/harbour"))
        tell_followers(catalogue.app)
        if offered := list(served(catalogue, catalogue.manager)):
            reason_of_or_none(calls(catalogue).PlaceQualityHold, placing(random.choice(offered)))
        insisted(lambda: lift(catalogue, organisation.name))
        tell_followers(catalogue.app)

    def commits_late() -> None:
        with transaction(catalogue.app) as tx:
            touch(tx, f"C{random.randrange(60)}")
            time.sleep(0.05)

    with writing(imports, corrects, holds, commits_late) as going_on:
        copy.begin()
        while going_on():
            copy.follow()
    reason_of_or_none(calls(catalogue).PlaceQualityHold, placing(next(iter(served(catalogue)))))
    copy.follow_to_the_end()
    assert copy.courses == served(catalogue)
    assert len(copy.versions) > 40
    assert 0 < len(copy.courses) < len(served(catalogue, catalogue.manager))


@contextmanager
def writing(*works: Callable[[], None], seconds: float = 1.5) -> Iterator[Callable[[], bool]]:
    """Runs each work over and over in a thread of its own for some seconds."""
    end, failures = time.monotonic() + seconds, list[BaseException]()

    def repeat(work: Callable[[], None]) -> None:
        try:
            while time.monotonic() < end:
                insisted(work)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    yield lambda: any(thread.is_alive() for thread in threads)
    for thread in threads:
        thread.join()
    assert failures == []


def insisted(call: Callable[[], Any]) -> Any:
    """Returns what a call does; one that a busy server turns away changes nothing and is made again."""
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise


def reason_of_or_none(call: Any, request: Any) -> str:
    try:
        call(request)
    except Exception:
        return str(reason_of(call, request))
    return ""


@pytest.mark.parametrize("off", ["", "horizon", "tombstones"])
def test_late_commits_and_removals_are_told_and_controls_without_either(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch, off: str
) -> None:
    catalogue.feed(source, feed(*many(4)))
    until_settled(catalogue.app.engine)
    copy = Copy(catalogue)
    copy.begin()
    if off == "horizon":
        monkeypatch.setattr(course_changes, "settled", lambda _: true())
    if off == "tombstones":
        after = course_changes.after
        monkeypatch.setattr(
            course_changes, "after", lambda *of: [row for row in after(*of) if row.removed_time is None]
        )
    with transaction(catalogue.app) as late:
        touch(late, "C0")
        with transaction(catalogue.app) as early:
            touch(early, "C1")
        assert copy.follow() == (1 if off == "horizon" else 0)
    catalogue.feed(source, feed(*many(3)))
    copy.follow_to_the_end()
    assert (copy.courses == served(catalogue)) == (off == "")


def test_a_token_of_a_later_state_is_refused_and_a_removed_course_comes_back(
    catalogue: Catalogue, source: str
) -> None:
    copy = Copy(catalogue)
    assert copy.begin().course_count == 0
    catalogue.feed(source, feed(*many(3)))
    catalogue.feed(source, feed(*many(2)))
    assert copy.follow_to_the_end(page_size=1) == 3  # the one that came and went, once
    catalogue.feed(source, feed(*many(3)))
    copy.follow_to_the_end()
    assert copy.courses == served(catalogue)
    assert len(copy.courses) == 3
    ahead = course_changes.Place(10**17, course_changes.BEGINNING.course)
    request = course_change_pb2.ListCourseChangesRequest(token=str(ahead))
    assert reason_of(copy.calls.ListCourseChanges, request) == "CHANGE_TOKEN_AHEAD"


def test_an_answer_ends_when_it_is_large_and_still_tells_all(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.catalogue.api import course_changes as api

    monkeypatch.setattr(api, "ENOUGH", 1)
    catalogue.feed(source, feed(*many(3)))
    copy = Copy(catalogue)
    until_settled(catalogue.app.engine)
    first = copy.calls.ListCourseChanges(course_change_pb2.ListCourseChangesRequest())
    assert (len(first.course_changes), first.more) == (1, True)
    assert copy.follow() == 3


def test_a_stream_tells_what_is_there_and_what_comes(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "ALIVE", 0.2)
    monkeypatch.setattr(watching, "PAUSE", 0.05)
    catalogue.feed(source, feed(*many(3)))
    provider = token("provider", org="organisations/harbour")
    calls = catalogue.stub(course_change_pb2_grpc.CourseChangeServiceStub, provider)
    copy = Copy(catalogue)
    until_settled(catalogue.app.engine)
    for answer in calls.WatchCourses(course_change_pb2.WatchCoursesRequest()):
        copy.take(answer)  # ends by itself
    assert len(copy.courses) == 3
    stream = calls.WatchCourses(course_change_pb2.WatchCoursesRequest(token=copy.token, follow_seconds=60))
    silent = next(stream)
    assert (silent.next_token, len(silent.course_changes)) == (copy.token, 0)
    catalogue.feed(source, feed(*many(2)))
    while len(copy.courses) == 3:
        copy.take(next(stream))
    stream.cancel()
    assert copy.courses == served(catalogue)


def test_a_stream_ends_before_its_deadline_and_control(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = token("provider", org="organisations/harbour")
    calls = catalogue.stub(course_change_pb2_grpc.CourseChangeServiceStub, provider)
    request = course_change_pb2.WatchCoursesRequest(follow_seconds=60)
    monkeypatch.setattr(watching, "SPARED", 1.5)
    assert list(calls.WatchCourses(request, timeout=2.0))
    monkeypatch.setattr(watching, "SPARED", -5.0)
    with pytest.raises(grpc.RpcError) as caught:
        list(calls.WatchCourses(request, timeout=1.0))
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_streams_that_wait_keep_no_place_and_no_thread_from_others_and_are_shared_out(
    catalogue: Catalogue,
) -> None:
    provider, other = (token("provider", org="organisations/harbour") for _ in range(2))
    request = course_change_pb2.WatchCoursesRequest(follow_seconds=60)

    def watch(bearer: str) -> Any:
        stream = catalogue.stub(course_change_pb2_grpc.CourseChangeServiceStub, bearer).WatchCourses(request)
        next(stream)
        return stream

    waiting = [watch(provider)]  # a quarter of the four places
    with pytest.raises(grpc.RpcError) as caught:
        watch(provider)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    waiting += [watch(bearer) for bearer in (other, *(token("provider") for _ in range(2)))]
    assert not catalogue.served.server.load.busy  # every worker is free, also for a stream of what there is
    for stream in waiting:
        stream.cancel()


@pytest.mark.parametrize("told", [True, False])
def test_a_stream_that_waits_ends_in_order_with_its_server_and_untold_is_cut_off(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    if not told:
        monkeypatch.setattr(catalogue.served.server, "_streams", Streams())
    provider = token("provider", org="organisations/harbour")
    calls = catalogue.stub(course_change_pb2_grpc.CourseChangeServiceStub, provider)
    stream = calls.WatchCourses(course_change_pb2.WatchCoursesRequest(follow_seconds=300))
    next(stream)
    catalogue.served.server.drain(notice=0.0, grace=30.0 if told else 1.0)
    assert (stream.code() is grpc.StatusCode.OK) is told
