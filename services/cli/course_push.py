"""Streams courses from JSON lines to the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.json_format import Parse, ParseError
from waymark.catalogue.v1 import course_push_pb2 as pb
from waymark.catalogue.v1 import course_push_pb2_grpc

from services.cli.client import Caller
from services.cli.exits import ExitCode, Failure
from services.cli.progress import counts

LONGEST = 600.0  # seconds; no stream lasts longer


def push_lines(caller: Caller, source: str, lines: Iterable[bytes], *, dry_run: bool, partial: bool) -> str:
    """Pushes a course a line, with a bar; returns the run's name. Raises Failure, also for a line that is no
    course: then nothing is imported."""
    parts = _Parts(pb.PushStart(source=source, dry_run=dry_run, partial=partial), lines)
    service = caller.stub(course_push_pb2_grpc.CoursePushServiceStub)
    last = pb.PushCoursesResponse()
    with counts() as bar:
        task = bar.add_task("pushed", total=None)
        for last in service.PushCourses(iter(parts), timeout=LONGEST):
            bar.update(task, completed=last.course_count)
    if parts.problem:
        raise Failure(ExitCode.USAGE, parts.problem, remedy="Mend the line and push all of them again.")
    return last.feed_run


class _Parts:
    """The parts of a push, without its end when a line is no course; `problem` then says so."""

    def __init__(self, start: pb.PushStart, lines: Iterable[bytes]) -> None:
        self._start, self._lines = start, lines
        self.problem = ""

    def __iter__(self) -> Iterator[pb.PushCoursesRequest]:
        yield pb.PushCoursesRequest(start=self._start)
        count = 0
        for number, line in enumerate(self._lines, 1):
            if not line.strip():
                continue
            try:
                course = Parse(line, pb.PushedCourse())
            except (ParseError, UnicodeDecodeError) as error:
                self.problem = f"Line {number} is no course in JSON: {error}"
                return
            count += 1
            yield pb.PushCoursesRequest(course=course)
        yield pb.PushCoursesRequest(end=pb.PushEnd(course_count=count))
