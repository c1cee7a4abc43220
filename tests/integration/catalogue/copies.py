"""A copy of the courses as somebody else keeps it: by snapshot and changes alone."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
from google.protobuf.json_format import Parse
from waymark.catalogue.v1 import (
    course_change_pb2,
    course_change_pb2_grpc,
    course_pb2,
    course_snapshot_pb2,
    course_snapshot_pb2_grpc,
)

from services.catalogue.exports import snapshots
from tests.support.catalogue import Catalogue, until_settled


class Copy:
    """Courses by name, and the token to go on from."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.courses: dict[str, Any] = {}
        self.versions: dict[str, int] = {}
        self.token = ""
        self.calls = catalogue.stub(course_change_pb2_grpc.CourseChangeServiceStub, "")

    def begin(self) -> Any:
        """Takes over a snapshot made now; returns it."""
        snapshot = made(self.catalogue)
        for part in snapshot.parts:
            for line in gzip.decompress(fetched(part.download_url)).splitlines():
                course = Parse(line, course_pb2.Course())
                self.courses[course.name] = course
        self.token = snapshot.change_token
        return snapshot

    def follow(self, page_size: int = 7) -> int:
        """Takes over what has changed so far; returns how many changes that were."""
        count = 0
        while True:
            request = course_change_pb2.ListCourseChangesRequest(token=self.token, page_size=page_size)
            answer = self.calls.ListCourseChanges(request)
            self.take(answer)
            count += len(answer.course_changes)
            if not answer.more:
                return count

    def follow_to_the_end(self, page_size: int = 7) -> int:
        """Takes over all that is committed by now; returns how many changes that were."""
        until_settled(self.catalogue.app.engine)
        return self.follow(page_size)

    def take(self, answer: Any) -> None:
        """Takes over the changes of an answer."""
        for change in answer.course_changes:
            assert change.version >= self.versions.get(change.name, 0)
            self.versions[change.name] = change.version
            if change.removed:
                self.courses.pop(change.name, None)
            else:
                self.courses[change.name] = change.course
        self.token = answer.next_token


def made(catalogue: Catalogue) -> Any:
    """Has a snapshot made; returns it as anybody reads it."""
    calls = catalogue.stub(course_snapshot_pb2_grpc.CourseSnapshotServiceStub)
    asked = calls.CreateCourseSnapshot(course_snapshot_pb2.CreateCourseSnapshotRequest())
    snapshots.make_waiting(catalogue.app)
    return read(catalogue, asked.name)


def read(catalogue: Catalogue, name: str) -> Any:
    """Returns a snapshot as anybody reads it."""
    calls = catalogue.stub(course_snapshot_pb2_grpc.CourseSnapshotServiceStub, "")
    return calls.GetCourseSnapshot(course_snapshot_pb2.GetCourseSnapshotRequest(name=name))


def served(catalogue: Catalogue, access: str = "") -> dict[str, Any]:
    """All courses that are offered, by name, as the list shows them, to everybody unless told."""
    found: dict[str, Any] = {}
    request = course_pb2.ListCoursesRequest(page_size=200)
    while True:
        answer = catalogue.courses(access).ListCourses(request)
        found |= {course.name: course for course in answer.courses}
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


def fetched(url: str, begin: int = 0) -> bytes:
    """Fetches an address, from a byte on."""
    rest = {"range": f"bytes={begin}-"} if begin else {}
    answer = httpx.get(url, headers=rest, trust_env=False, verify=False)
    assert answer.is_success, answer.text
    if begin:  # not by the status: the embedded server says 200
        assert answer.headers["content-range"].startswith(f"bytes {begin}-")
    return answer.content
