"""CourseCompletenessService. Courses are measured by `deriving`, a job of the consumer."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import course_completeness_pb2 as pb
from waymark.catalogue.v1 import course_completeness_pb2_grpc

from services.catalogue.api.messages import last, only_own
from services.catalogue.domain.completeness import ASPECTS
from services.catalogue.store import completeness
from services.catalogue.store.derived_tables import course_completeness as table
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query


class CourseCompletenessApi(course_completeness_pb2_grpc.CourseCompletenessServiceServicer):
    """How complete courses are."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query
    def ListCourseCompleteness(
        self, tx: Transaction, request: pb.ListCourseCompletenessRequest
    ) -> pb.ListCourseCompletenessResponse:
        own, wanted = only_own(tx.principal), last(request.organisation)
        statement = completeness.listing(own)
        if wanted:
            statement = statement.where(table.c.organisation_id == wanted)
        found = page(
            tx,
            self.app.signer,
            statement,
            order_by=[table.c.score, table.c.course_id],
            request=request,
            filters={"organisation": wanted, "own": own},
        )
        return pb.ListCourseCompletenessResponse(
            course_completeness=map(_message, found.rows), next_page_token=found.next_page_token
        )


def _message(row: Any) -> pb.CourseCompleteness:
    answer = pb.CourseCompleteness(
        course=f"courses/{row.course_id}",
        external_id=row.external_id,
        source=f"sources/{row.source_id}",
        titles=row.titles,
        score=row.score,
        rule_version=row.rule_version,
    )
    for aspect, points in sorted(row.lacks.items(), key=lambda item: (-item[1], int(item[0]))):
        key: Any = int(aspect)
        answer.lacks.add(aspect=key, points=points, remedy=ASPECTS[key].remedy)
    return answer
