"""CourseSnapshotService. The work itself is done by `exports.snapshots`, a job of the consumer."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import course_snapshot_pb2 as pb
from waymark.catalogue.v1 import course_snapshot_pb2_grpc

from services.catalogue.api.messages import last
from services.catalogue.store import course_snapshots
from services.catalogue.store.course_snapshots import BUCKET, Part, key
from services.catalogue.store.tables import course_snapshots as table
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.objects.tickets import DOWNLOAD
from services.platform.rpc.handlers import mutation, query


class CourseSnapshotApi(course_snapshot_pb2_grpc.CourseSnapshotServiceServicer):
    """All courses of one moment."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateCourseSnapshot(self, tx: Transaction, _: pb.CreateCourseSnapshotRequest) -> pb.CourseSnapshot:
        return _message(course_snapshots.ask(tx))

    @query
    def GetCourseSnapshot(self, tx: Transaction, request: pb.GetCourseSnapshotRequest) -> pb.CourseSnapshot:
        row = course_snapshots.read(tx, last(request.name))
        answer = _message(row)
        for number, part in enumerate(map(Part._make, row.parts), 1):
            answer.parts.add(
                number=number,
                size_bytes=part.size,
                sha256=part.sha256,
                course_count=part.courses,
                download_url=self.app.objects.download_url(
                    BUCKET, key(row.id, number), f"courses-{number:05}.ndjson.gz", "application/gzip"
                ),
            )
        if answer.parts:
            answer.expire_time.FromDatetime(tx.now + DOWNLOAD)
        return answer

    @query
    def ListCourseSnapshots(
        self, tx: Transaction, request: pb.ListCourseSnapshotsRequest
    ) -> pb.ListCourseSnapshotsResponse:
        found = page(
            tx, self.app.signer, course_snapshots.listing(), order_by=[table.c.id.desc()], request=request
        )
        return pb.ListCourseSnapshotsResponse(
            course_snapshots=map(_message, found.rows), next_page_token=found.next_page_token
        )


def _message(row: Any) -> pb.CourseSnapshot:
    answer = pb.CourseSnapshot(
        name=f"courseSnapshots/{row.id}",
        state=row.state,
        course_count=row.course_count,
        change_token=row.change_token,
    )
    answer.create_time.FromDatetime(row.create_time)
    answer.state_time.FromDatetime(row.state_time)
    return answer
