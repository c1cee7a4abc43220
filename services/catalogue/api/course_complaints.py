"""CourseComplaintService: what learners find wrong with offers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.catalogue.v1 import course_complaint_pb2 as pb
from waymark.catalogue.v1 import course_complaint_pb2_grpc
from waymark.errors.v1 import reason_pb2
from waymark.options.v1.options_pb2 import ROLE_LEARNER

from services.catalogue.api.messages import last, only_own, part, sees_drafts
from services.catalogue.store import course_complaints as store
from services.catalogue.store import courses
from services.catalogue.store.course_complaints import State
from services.catalogue.store.tables import course_complaints
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query


class CourseComplaintApi(course_complaint_pb2_grpc.CourseComplaintServiceServicer):
    """Complaints, and what came of them."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def FileCourseComplaint(
        self, tx: Transaction, request: pb.FileCourseComplaintRequest
    ) -> pb.CourseComplaint:
        course = courses.read(tx.connection, last(request.parent)).id
        return _message(store.add(tx, course, request.complaint.kind))

    @query
    def ListCourseComplaints(
        self, tx: Transaction, request: pb.ListCourseComplaintsRequest
    ) -> pb.ListCourseComplaintsResponse:
        filer, own = _readable(tx)
        found = page(
            tx,
            self.app.signer,
            store.listing(last(request.course), request.state, filer, own),
            order_by=[course_complaints.c.id],
            request=request,
            filters={"course": request.course, "state": request.state, "filer": filer, "own": own},
        )
        return pb.ListCourseComplaintsResponse(
            complaints=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DecideCourseComplaint(
        self, tx: Transaction, request: pb.DecideCourseComplaintRequest
    ) -> pb.CourseComplaint:
        row = store.lock(tx, part(request.name, 1), last(request.name))
        if row.state != State.OPEN:
            state = {"state": State(row.state).name}
            raise Refusal(reason_pb2.REASON_WRONG_STATE, "This complaint is decided.", metadata=state)
        decision = State.UPHELD if request.upheld else State.DISMISSED
        return _message(store.decide(tx, row.id, decision, request.reason))


def _readable(tx: Transaction) -> tuple[str, str]:
    """Who must have filed what the caller reads, and whose courses it must be about; "": no matter."""
    if sees_drafts(tx.principal):
        return "", ""
    if ROLE_LEARNER in tx.principal.roles:
        return tx.principal.subject, ""
    return "", only_own(tx.principal)


def _message(row: Row[Any]) -> pb.CourseComplaint:
    answer = pb.CourseComplaint(
        name=f"courses/{row.course_id}/complaints/{row.id}",
        kind=row.kind,
        state=row.state,
        decision_reason=row.decision_reason,
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.decide_time is not None:
        answer.decide_time.FromDatetime(row.decide_time)
    return answer
