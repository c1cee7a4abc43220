"""Snapshots of courses: of one moment, in parts, made again after a crash, not kept for ever."""

from __future__ import annotations

import gzip
import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import course_snapshot_pb2, course_snapshot_pb2_grpc

from services.catalogue.exports import snapshots
from services.catalogue.store import course_changes, course_snapshots
from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from tests.integration.catalogue.copies import Copy, fetched, made, read, served
from tests.integration.catalogue.feeds import feed, many
from tests.support.catalogue import Catalogue, until_settled
from tests.support.portfolio import reason_of

State = course_snapshot_pb2.CourseSnapshot
ASK = course_snapshot_pb2.CreateCourseSnapshotRequest()


@pytest.fixture
def source(catalogue: Catalogue) -> str:
    return catalogue.source(catalogue.organisation("harbour"))


def calls(catalogue: Catalogue) -> Any:
    return catalogue.stub(course_snapshot_pb2_grpc.CourseSnapshotServiceStub)


def test_parts_are_one_file_each_is_as_it_says_and_can_be_fetched_on(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.feed(source, feed(*many(9)))
    monkeypatch.setattr(snapshots, "PART", 1)
    copy = Copy(catalogue)
    snapshot = copy.begin()
    assert (snapshot.state, snapshot.course_count) == (State.STATE_SUCCEEDED, 9)
    assert len(snapshot.parts) > 2
    whole = [fetched(part.download_url) for part in snapshot.parts]
    for part, data in zip(snapshot.parts, whole, strict=True):
        assert (len(data), hashlib.sha256(data).hexdigest()) == (part.size_bytes, part.sha256)
        assert gzip.decompress(data).count(b"\n") == part.course_count
        assert fetched(part.download_url, begin=10) == data[10:]
    assert gzip.decompress(b"".join(whole)).count(b"\n") == 9
    assert copy.courses == served(catalogue)


def test_a_snapshot_is_of_one_moment(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changes while it is read is not in it, comes after its token, and the token does not move."""
    catalogue.feed(source, feed(*many(6)))
    monkeypatch.setattr(course_changes, "AT_ONCE", 1)
    with transaction(catalogue.app, read_only=True) as tx:
        place, rows = course_changes.offered(tx)
        first = next(rows)
        with transaction(catalogue.app) as writer:
            writer.execute(text("UPDATE courses SET version = 2"))
        assert {row.version for row in [first, *rows]} == {1}
    until_settled(catalogue.app.engine)
    with transaction(catalogue.app, read_only=True) as tx:
        assert [row.version for row in course_changes.after(tx, place, 10)] == [2] * 6


def test_one_at_a_time_and_daily_the_newest_three_are_kept(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, feed(*many(2)))
    asked = calls(catalogue).CreateCourseSnapshot(ASK).name
    assert calls(catalogue).CreateCourseSnapshot(ASK).name == asked
    snapshots.make_waiting(catalogue.app)
    snapshots.make_waiting(catalogue.app)  # nothing to do: one of today is there
    newer = [made(catalogue).name for _ in range(3)]
    listed = calls(catalogue).ListCourseSnapshots(course_snapshot_pb2.ListCourseSnapshotsRequest())
    assert [snapshot.name for snapshot in listed.course_snapshots] == newer[::-1]
    gone = course_snapshot_pb2.GetCourseSnapshotRequest(name=asked)
    assert reason_of(calls(catalogue).GetCourseSnapshot, gone) == "NOT_FOUND"
    with pytest.raises(Refusal):
        catalogue.app.objects.open(course_snapshots.BUCKET, course_snapshots.key(asked.split("/")[1], 1))
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE course_snapshots SET create_time = create_time - interval '25 hours'"))
    snapshots.make_waiting(catalogue.app)
    again = calls(catalogue).ListCourseSnapshots(course_snapshot_pb2.ListCourseSnapshotsRequest())
    assert again.course_snapshots[0].name not in newer


def test_one_that_broke_off_is_begun_anew_and_given_up_in_the_end(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.feed(source, feed(*many(2)))
    catalogue.app.objects.put(course_snapshots.BUCKET, "left-behind", io.BytesIO(b"x"))
    monkeypatch.setattr(snapshots, "ORPHAN", timedelta(0))
    asked = calls(catalogue).CreateCourseSnapshot(ASK).name
    with monkeypatch.context() as patch:
        patch.setattr(catalogue.app.objects, "put", lambda *_, **__: 1 / 0)
        snapshots.make_waiting(catalogue.app)
        assert read(catalogue, asked).state == State.STATE_RUNNING
    snapshots.make_waiting(catalogue.app)
    done = read(catalogue, asked)
    assert (done.state, done.course_count) == (State.STATE_SUCCEEDED, 2)
    assert gzip.decompress(fetched(done.parts[0].download_url))
    with pytest.raises(Refusal):
        catalogue.app.objects.open(course_snapshots.BUCKET, "left-behind")
    asked = calls(catalogue).CreateCourseSnapshot(ASK).name
    monkeypatch.setattr(catalogue.app.objects, "put", lambda *_, **__: 1 / 0)
    for _ in range(snapshots.ATTEMPTS):
        snapshots.make_waiting(catalogue.app)
    assert (read(catalogue, asked).state, read(catalogue, asked).change_token) == (State.STATE_FAILED, "")
