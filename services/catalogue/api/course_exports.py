"""CourseExportService: courses in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from google.api import httpbody_pb2
from waymark.catalogue.v1 import course_export_pb2 as pb
from waymark.catalogue.v1 import course_export_pb2_grpc

from services.catalogue.api.messages import last
from services.catalogue.domain.courses import Document
from services.catalogue.exports import csv_template, schema_org
from services.catalogue.store import courses
from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query_stream

CHUNK = 256 * 1024  # bytes after which a message is sent; one course may add its own size
Write = Callable[[str, Document], bytes]
_SCHEMA_ORG: tuple[bytes, Write, str] = (b"", schema_org.line, "application/x-ndjson")
FORMATS: dict[int, tuple[bytes, Write, str]] = {
    pb.COURSE_EXPORT_FORMAT_UNSPECIFIED: _SCHEMA_ORG,
    pb.COURSE_EXPORT_FORMAT_SCHEMA_ORG: _SCHEMA_ORG,
    pb.COURSE_EXPORT_FORMAT_CSV_TEMPLATE: (
        csv_template.header(),
        csv_template.rows,
        "text/csv; charset=utf-8",
    ),
}


class CourseExportApi(course_export_pb2_grpc.CourseExportServiceServicer):
    """Hands out courses."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query_stream
    def ExportCourses(
        self, tx: Transaction, request: pb.ExportCoursesRequest
    ) -> Iterator[httpbody_pb2.HttpBody]:
        head, write, content_type = FORMATS[request.format]
        organisation = last(request.organisation) if request.organisation else ""
        source = last(request.source) if request.source else ""
        pending = bytearray(head)
        for row in courses.stream(tx, organisation, source):
            pending += write(row.external_id, row.document)
            if len(pending) >= CHUNK:
                yield httpbody_pb2.HttpBody(content_type=content_type, data=bytes(pending))
                pending.clear()
        yield httpbody_pb2.HttpBody(content_type=content_type, data=bytes(pending))
