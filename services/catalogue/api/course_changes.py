"""CourseChangeService."""

from __future__ import annotations

from typing import Any, NamedTuple

from waymark.catalogue.v1 import course_change_pb2 as pb
from waymark.catalogue.v1 import course_change_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.courses import course_message
from services.catalogue.store import course_changes
from services.catalogue.store.course_changes import Place, place_of
from services.platform.app import App
from services.platform.db.paging import page_size
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import query
from services.platform.rpc.watching import watch

ENOUGH = 1 << 20  # bytes after which an answer ends; one course may add its own size
AT_ONCE = 200  # courses of an answer of the stream, at most


class Changes(NamedTuple):
    """Some changes, the token after them, and whether there are more already."""

    found: list[pb.CourseChange]
    token: str
    more: bool


class CourseChangeApi(course_change_pb2_grpc.CourseChangeServiceServicer):
    """What changes among courses."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query
    def ListCourseChanges(
        self, tx: Transaction, request: pb.ListCourseChangesRequest
    ) -> pb.ListCourseChangesResponse:
        changes = changes_after(tx, place_of(request.token), page_size(request.page_size))
        return pb.ListCourseChangesResponse(
            course_changes=changes.found, next_token=changes.token, more=changes.more
        )

    @watch
    def WatchCourses(
        self, tx: Transaction, request: pb.WatchCoursesRequest, before: pb.WatchCoursesResponse | None
    ) -> tuple[pb.WatchCoursesResponse, bool]:
        changes = changes_after(tx, place_of(before.next_token if before else request.token), AT_ONCE)
        answer = pb.WatchCoursesResponse(course_changes=changes.found, next_token=changes.token)
        return answer, bool(changes.found)


def changes_after(tx: Transaction, place: Place, size: int) -> Changes:
    """Returns up to `size` changes after a place, fewer where they would be too much for one message.

    Raises Refusal(CHANGE_TOKEN_AHEAD) for a place that this database never came to.
    """
    rows = course_changes.after(tx, place, size + 1)
    if not rows and course_changes.is_ahead(tx, place):
        raise Refusal(reason_pb2.REASON_CHANGE_TOKEN_AHEAD)
    found: list[pb.CourseChange] = []
    weight = 0
    for row in rows[:size]:
        if weight >= ENOUGH:
            break
        found.append(_message(row))
        weight += found[-1].ByteSize()
        place = Place(row.changed_xid, row.id)
    return Changes(found, str(place), len(rows) > len(found))


def _message(row: Any) -> pb.CourseChange:
    answer = pb.CourseChange(name=f"courses/{row.id}", version=row.version)
    if row.removed_time is None and not row.on_hold:
        answer.course.CopyFrom(course_message(row))
        return answer
    answer.removed = True
    answer.on_hold = row.removed_time is None
    if row.removed_time is not None:
        answer.remove_time.FromDatetime(row.removed_time)
    return answer
