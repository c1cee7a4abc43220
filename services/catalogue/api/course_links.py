"""CourseLinkService. Links are found by `deriving`, a job of the consumer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from waymark.catalogue.v1 import course_link_pb2 as pb
from waymark.catalogue.v1 import course_link_pb2_grpc

from services.catalogue.api.messages import last, only_own
from services.catalogue.store import course_links
from services.catalogue.store.derived_tables import course_links as table
from services.catalogue.store.tables import courses
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query


class CourseLinkApi(course_link_pb2_grpc.CourseLinkServiceServicer):
    """Courses that look alike."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query
    def ListCourseLinks(
        self, tx: Transaction, request: pb.ListCourseLinksRequest
    ) -> pb.ListCourseLinksResponse:
        own = only_own(tx.principal)
        statement = course_links.listing(request.verdict, last(request.course) if request.course else "")
        if own:
            offered = courses.c.removed_time.is_(None)
            mine = select(courses.c.id).where(courses.c.organisation_id == own, offered)
            statement = statement.where(or_(table.c.low.in_(mine), table.c.high.in_(mine)))
        found = page(
            tx,
            self.app.signer,
            statement,
            order_by=[table.c.score.desc(), table.c.id.desc()],
            request=request,
            filters={"verdict": request.verdict, "course": request.course, "own": own},
        )
        return pb.ListCourseLinksResponse(
            course_links=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DecideCourseLink(self, tx: Transaction, request: pb.DecideCourseLinkRequest) -> pb.CourseLink:
        row = course_links.read(tx, last(request.name))
        row = course_links.decide(tx, row.id, request.verdict)
        course_links.regroup(tx, row.low)
        course_links.regroup(tx, row.high)
        return _message(row)


def _message(row: Any) -> pb.CourseLink:
    answer = pb.CourseLink(
        name=f"courseLinks/{row.id}",
        courses=[f"courses/{row.low}", f"courses/{row.high}"],
        score=row.score,
        rule_version=row.rule_version,
        verdict=row.verdict,
        decided_by=row.decided_by,
    )
    if row.decide_time is not None:
        answer.decide_time.FromDatetime(row.decide_time)
    return answer
