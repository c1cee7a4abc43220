"""AgreementReviewService: targets, reviews by the monitor, feedback of both sides."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from sqlalchemy import Row, Table, select
from waymark.catalogue.v1 import agreement_review_pb2 as pb
from waymark.catalogue.v1 import agreement_review_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import day, last, only_own, put_date
from services.catalogue.domain.agreement import State, check_state
from services.catalogue.domain.agreement_review import Measured, Target, review_faults, target_faults
from services.catalogue.store import agreement_reviews as store
from services.catalogue.store import agreements, course_feedback
from services.catalogue.store.agreement_tables import (
    agreement_feedback,
    agreement_reviews,
    agreement_targets,
)
from services.platform.app import App
from services.platform.db.paging import Page, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.goals import Goal
from services.platform.rpc.handlers import mutation, query


class AgreementReviewApi(agreement_review_pb2_grpc.AgreementReviewServiceServicer):
    """How agreements go."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateAgreementTarget(
        self, tx: Transaction, request: pb.CreateAgreementTargetRequest
    ) -> pb.AgreementTarget:
        row = agreements.read(tx, last(request.parent), lock=True)
        check_state(row.state, State.DRAFT, State.ACTIVE)
        sent = request.target
        start, due = day(sent.start_date, "target.start_date"), day(sent.due_date, "target.due_date")
        if wrong := target_faults(sent.kind, sent.unit, sent.baseline, sent.value, start, due):
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=wrong)
        values = {
            "display_names": dict(sent.display_names),
            "kind": sent.kind,
            "unit": sent.unit,
            "baseline": sent.baseline,
            "value": sent.value,
            "start_date": start,
            "due_date": due,
        }
        return _target(tx, store.add(tx, agreement_targets, row.id, values))

    @query
    def ListAgreementTargets(
        self, tx: Transaction, request: pb.ListAgreementTargetsRequest
    ) -> pb.ListAgreementTargetsResponse:
        found = self._page(tx, request, agreement_targets, newest_first=False)
        targets = [_target(tx, row) for row in found.rows]
        return pb.ListAgreementTargetsResponse(targets=targets, next_page_token=found.next_page_token)

    @mutation
    def RecordAgreementReview(
        self, tx: Transaction, request: pb.RecordAgreementReviewRequest
    ) -> pb.AgreementReview:
        row = agreements.read(tx, last(request.parent), lock=True)
        check_state(row.state, State.ACTIVE)
        sent = request.review
        targets = [Target(each.id, each.kind, each.baseline) for each in store.targets_of(tx, row.id)]
        told = [
            Measured(last(each.target), each.current, each.value if each.HasField("value") else None)
            for each in sent.values
        ]
        adjusts = sent.verdict == pb.AgreementReview.VERDICT_ADJUST
        if wrong := review_faults(targets, told, adjusts=adjusts):
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=wrong)
        values = [MessageToDict(value) for value in sent.values]
        rated = course_feedback.rated_since(tx, row.parties, row.reviewed_at)
        return _review(store.review(tx, row.id, sent.verdict, told, values, rated))

    @query
    def ListAgreementReviews(
        self, tx: Transaction, request: pb.ListAgreementReviewsRequest
    ) -> pb.ListAgreementReviewsResponse:
        found = self._page(tx, request, agreement_reviews)
        return pb.ListAgreementReviewsResponse(
            reviews=map(_review, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def GiveAgreementFeedback(
        self, tx: Transaction, request: pb.GiveAgreementFeedbackRequest
    ) -> pb.AgreementFeedback:
        row = agreements.read(tx, last(request.parent))
        check_state(row.state, State.ACTIVE, State.ENDED)
        sent, own = request.feedback, only_own(tx.principal)
        organisation = last(sent.organisation) or own
        if organisation not in row.parties or (own and organisation != own):
            raise invalid("feedback.organisation", "must be a party, and yours where you are one")
        values = {
            "organisation_id": organisation,
            "side": pb.AgreementFeedback.SIDE_PARTNER if own else pb.AgreementFeedback.SIDE_PES,
            "rating": sent.rating,
            "comment": sent.comment,
            "given_by": tx.principal.subject,
        }
        return _feedback(store.add(tx, agreement_feedback, row.id, values))

    @query
    def ListAgreementFeedback(
        self, tx: Transaction, request: pb.ListAgreementFeedbackRequest
    ) -> pb.ListAgreementFeedbackResponse:
        found = self._page(tx, request, agreement_feedback, own=only_own(tx.principal))
        return pb.ListAgreementFeedbackResponse(
            feedback=map(_feedback, found.rows), next_page_token=found.next_page_token
        )

    def _page(
        self, tx: Transaction, request: Any, table: Table, *, newest_first: bool = True, own: str = ""
    ) -> Page:
        """Returns a page of what belongs to the agreement, with `own` only of that organisation."""
        agreement = agreements.read(tx, last(request.parent)).id
        statement = select(table).where(table.c.agreement_id == agreement)
        if own:
            statement = statement.where(table.c.organisation_id == own)
        return page(
            tx,
            self.app.signer,
            statement,
            order_by=[table.c.id.desc() if newest_first else table.c.id],
            request=request,
            filters={"parent": request.parent, "own": own},
        )


def _target(tx: Transaction, row: Row[Any]) -> pb.AgreementTarget:
    goal = Goal(row.baseline, row.value, row.start_date, row.due_date)
    answer = pb.AgreementTarget(
        name=f"agreements/{row.agreement_id}/targets/{row.id}",
        display_names=row.display_names,
        kind=row.kind,
        unit=row.unit,
        baseline=row.baseline,
        value=row.value,
        current=row.current,
        planned=goal.planned(tx.today),
    )
    if row.current is not None:
        answer.progress_basis_points = goal.progress(row.current)
        answer.reached = goal.reached(row.current)
    put_date(answer.start_date, row.start_date)
    put_date(answer.due_date, row.due_date)
    answer.create_time.FromDatetime(row.create_time)
    return answer


def _review(row: Row[Any]) -> pb.AgreementReview:
    answer = pb.AgreementReview(
        name=f"agreements/{row.agreement_id}/reviews/{row.id}",
        verdict=row.verdict,
        values=[ParseDict(value, pb.AgreementTargetValue()) for value in row._mapping["values"]],
    )
    answer.create_time.FromDatetime(row.create_time)
    if rated := row.beneficiaries:
        count, mean = rated["count"], rated["mean"]
        answer.beneficiaries.CopyFrom(
            pb.BeneficiaryFeedback(suppressed=count is None, count=count or 0, mean=mean or 0)
        )
    return answer


def _feedback(row: Row[Any]) -> pb.AgreementFeedback:
    answer = pb.AgreementFeedback(
        name=f"agreements/{row.agreement_id}/feedback/{row.id}",
        side=row.side,
        organisation=f"organisations/{row.organisation_id}",
        rating=row.rating,
        comment=row.comment,
    )
    answer.create_time.FromDatetime(row.create_time)
    return answer
