"""CourseFeedbackService: what learners say of courses, what providers answer, and what is not shown."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty
from sqlalchemy import Row
from waymark.catalogue.v1 import course_feedback_pb2 as pb
from waymark.catalogue.v1 import course_feedback_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last, part
from services.catalogue.domain import course_feedback as domain
from services.catalogue.domain.course_feedback import PUBLIC, State
from services.catalogue.store import course_feedback as store
from services.catalogue.store import courses
from services.catalogue.store.quality_tables import course_feedback
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query

Feedback = pb.CourseFeedback


class CourseFeedbackApi(course_feedback_pb2_grpc.CourseFeedbackServiceServicer):
    """Feedback of learners, in public."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def GiveCourseFeedback(self, tx: Transaction, request: pb.GiveCourseFeedbackRequest) -> pb.CourseFeedback:
        course = courses.read(tx.connection, last(request.parent)).id
        if not store.has_completed(tx, course):
            raise Refusal(reason_pb2.REASON_COURSE_NOT_COMPLETED)
        before = store.own(tx, course)
        if before is not None:
            domain.check_state(before.state, *PUBLIC)
        return _message(store.put(tx, course, request.feedback.rating, request.feedback.comment))

    @mutation
    def DeleteCourseFeedback(self, tx: Transaction, request: pb.DeleteCourseFeedbackRequest) -> Empty:
        store.remove(tx, _lock(tx, request))
        return Empty()

    @query
    def ListCourseFeedback(
        self, tx: Transaction, request: pb.ListCourseFeedbackRequest
    ) -> pb.ListCourseFeedbackResponse:
        course, reader = courses.read(tx.connection, last(request.parent)).id, tx.principal.subject
        found = page(
            tx,
            self.app.signer,
            store.listing(course, reader),
            order_by=[course_feedback.c.id.desc()],
            request=request,
            filters={"parent": request.parent, "reader": reader},
            maximum=200,
        )
        few = store.rated(tx, course).count is None
        answer = pb.ListCourseFeedbackResponse(
            feedback=map(_message, found.rows), next_page_token=found.next_page_token
        )
        for row, each in zip(found.rows, answer.feedback, strict=True):
            if row.author != reader:
                each.rating = 0 if few else row.rating
                each.state, each.fault = Feedback.STATE_SHOWN, Feedback.FAULT_UNSPECIFIED  # or reported
        return answer

    @query
    def GetCourseRating(self, tx: Transaction, request: pb.GetCourseRatingRequest) -> pb.CourseRating:
        course = courses.read(tx.connection, part(request.name, 1)).id
        rated = store.rated(tx, course)
        return pb.CourseRating(
            name=request.name, suppressed=rated.count is None, count=rated.count or 0, mean=rated.mean or 0
        )

    @mutation
    def AnswerCourseFeedback(
        self, tx: Transaction, request: pb.AnswerCourseFeedbackRequest
    ) -> pb.CourseFeedback:
        row = _lock(tx, request)
        domain.check_state(row.state, *PUBLIC)
        return _unrated(store.answer(tx, row.id, request.answer))

    @mutation
    def ReportCourseFeedback(
        self, tx: Transaction, request: pb.ReportCourseFeedbackRequest
    ) -> pb.CourseFeedback:
        row = _lock(tx, request)
        domain.check_state(row.state, State.SHOWN)
        return _unrated(store.change(tx, row.id, state=State.REPORTED, fault=request.fault))

    @mutation
    def AppealCourseFeedback(
        self, tx: Transaction, request: pb.AppealCourseFeedbackRequest
    ) -> pb.CourseFeedback:
        row = _lock(tx, request)
        domain.check_appeal(row.state, row.decided_by)
        return _message(store.change(tx, row.id, state=State.APPEALED))

    @query
    def ListReportedCourseFeedback(
        self, tx: Transaction, request: pb.ListReportedCourseFeedbackRequest
    ) -> pb.ListReportedCourseFeedbackResponse:
        order = [course_feedback.c.id]
        found = page(tx, self.app.signer, store.queue(), order_by=order, request=request)
        return pb.ListReportedCourseFeedbackResponse(
            feedback=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DecideCourseFeedback(
        self, tx: Transaction, request: pb.DecideCourseFeedbackRequest
    ) -> pb.CourseFeedback:
        row = _lock(tx, request)
        values = domain.decision(row.state, row.hidden_by, tx.principal.subject, request.fault)
        return _message(store.change(tx, row.id, **values))


def _lock(tx: Transaction, request: Any) -> Row[Any]:
    return store.lock(tx, part(request.name, 1), last(request.name))


def _unrated(row: Row[Any]) -> pb.CourseFeedback:
    """For others than the author and staff, who learn of ratings by lists."""
    answer = _message(row)
    answer.rating = 0
    return answer


def _message(row: Row[Any]) -> pb.CourseFeedback:
    answer = pb.CourseFeedback(
        name=f"courses/{row.course_id}/feedback/{row.id}",
        rating=row.rating,
        comment=row.comment,
        answer=row.answer,
        state=row.state,
        fault=row.fault,
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.answer_time is not None:
        answer.answer_time.FromDatetime(row.answer_time)
    return answer
