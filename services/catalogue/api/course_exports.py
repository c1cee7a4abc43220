"""CourseExportService: courses in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from google.api import httpbody_pb2
from waymark.catalogue.v1 import course_export_pb2 as pb
from waymark.catalogue.v1 import course_export_pb2_grpc

from services.catalogue.api.messages import last
from services.catalogue.exports import csv_template, schema_org
from services.catalogue.exports.elm import ElmWriter
from services.catalogue.exports.writing import Lines, Writer
from services.catalogue.store import courses, organisations
from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query_stream

CHUNK = 256 * 1024  # bytes after which a message is sent; one course may add its own size
SCHEMA_ORG = "application/x-ndjson", lambda _: Lines(b"", schema_org.line)
FORMATS: dict[int, tuple[str, Callable[[Transaction], Writer]]] = {
    pb.COURSE_EXPORT_FORMAT_UNSPECIFIED: SCHEMA_ORG,
    pb.COURSE_EXPORT_FORMAT_SCHEMA_ORG: SCHEMA_ORG,
    pb.COURSE_EXPORT_FORMAT_CSV_TEMPLATE: (
        "text/csv; charset=utf-8",
        lambda _: Lines(csv_template.header(), csv_template.rows),
    ),
    pb.COURSE_EXPORT_FORMAT_ELM_LOQ_3_1: (
        "application/xml",
        lambda tx: ElmWriter(partial(organisations.display_names, tx)),
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
        content_type, make = FORMATS[request.format]
        writer = make(tx)
        organisation = last(request.organisation) if request.organisation else ""
        source = last(request.source) if request.source else ""
        rows = courses.stream(tx, organisation, source)
        parts = chain([writer.head()], map(writer.course, rows), writer.tail())
        pending = bytearray()
        for part in parts:
            pending += part
            if len(pending) >= CHUNK:
                yield httpbody_pb2.HttpBody(content_type=content_type, data=bytes(pending))
                pending.clear()
        yield httpbody_pb2.HttpBody(content_type=content_type, data=bytes(pending))
