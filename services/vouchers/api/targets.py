"""TargetService: what is to be reached, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import target_pb2 as pb
from waymark.vouchers.v1 import target_pb2_grpc

from services.platform.days import day_of
from services.platform.db.etags import etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.goals import Goal, months_after
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of, day, moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.targets import REVIEW_MONTHS, Measure
from services.vouchers.store import names, programmes
from services.vouchers.store import targets as store
from services.vouchers.store.target_tables import target_reviews, targets


class TargetApi(target_pb2_grpc.TargetServiceServicer):
    """Keeps targets."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateTarget(self, tx: Transaction, request: pb.CreateTargetRequest) -> pb.Target:
        sent = request.target
        start = date_of(sent.start_date, "target.start_date")
        due = date_of(sent.due_date, "target.due_date")
        if wrong := _faults(sent, start, due):
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=wrong)
        programme = names.last(sent.programme)
        values = {
            "id": new_id(),
            "display_names": dict(sent.display_names),
            "measure": sent.measure,
            "programme_id": programmes.get(tx, programme).id if programme else None,
            "baseline": sent.baseline,
            "value": sent.value,
            "start_date": start,
            "due_date": due,
            "reviewed_at": tx.now,
        }
        return _messages(tx, [store.add(tx, values)])[0]

    @query
    def GetTarget(self, tx: Transaction, request: pb.GetTargetRequest) -> pb.Target:
        return _messages(tx, [store.get(tx, names.uuid_in(request.name, "targets"))])[0]

    @query
    def ListTargets(self, tx: Transaction, request: pb.ListTargetsRequest) -> pb.ListTargetsResponse:
        found = page(tx, self.app.signer, select(targets), order_by=[targets.c.id], request=request)
        return pb.ListTargetsResponse(
            targets=_messages(tx, found.rows), next_page_token=found.next_page_token
        )

    @query
    def GetTargetReport(self, tx: Transaction, request: pb.GetTargetReportRequest) -> pb.TargetReport:
        row = store.get(tx, names.uuid_in(request.name, "targets"))
        goal, today, noted = _goal(row), tx.today, store.noted(tx, row.id)
        lasts = list(goal.months(today))
        ends = [min(last, goal.due, today) for last in lasts]
        found = store.measured(tx, Measure(row.measure), [_asked(row, end) for end in ends])
        months = []
        for last, end, measured in zip(lasts, ends, found, strict=True):
            month = pb.TargetMonth(month=f"{last:%Y-%m}", planned=goal.planned(end))
            only_noted = Measure(row.measure) is Measure.SERVICE_POINTS and last < today
            value = noted.get(last.replace(day=1)) if only_noted else measured
            if value is not None:
                month.value = value
            months.append(month)
        return pb.TargetReport(target=_messages(tx, [row])[0], months=months)

    @mutation
    def RecordTargetReview(self, tx: Transaction, request: pb.RecordTargetReviewRequest) -> pb.TargetReview:
        row = store.get(tx, names.uuid_in(request.parent, "targets"), locked=True)
        sent = request.review
        adjusted = sent.verdict == pb.TargetReview.VERDICT_ADJUST
        if adjusted and sent.value == row.baseline:
            violation = Violation("review.value", "must not be the baseline")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        values = {
            "id": new_id(),
            "target_id": row.id,
            "verdict": sent.verdict,
            "value": sent.value if adjusted else row.value,
            "former_value": row.value,
            "current": _current(tx, [row])[0],
            "reviewed_by": tx.principal.subject,
        }
        return _review(store.review(tx, values))

    @query
    def ListTargetReviews(
        self, tx: Transaction, request: pb.ListTargetReviewsRequest
    ) -> pb.ListTargetReviewsResponse:
        target = store.get(tx, names.uuid_in(request.parent, "targets"))
        found = page(
            tx,
            self.app.signer,
            store.reviews_of(target.id),
            order_by=[target_reviews.c.id.desc()],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListTargetReviewsResponse(
            reviews=map(_review, found.rows), next_page_token=found.next_page_token
        )


def _faults(sent: pb.Target, start: date, due: date) -> list[Violation]:
    found = []
    if due <= start:
        found.append(Violation("target.due_date", "must be after start_date"))
    if sent.value == sent.baseline:
        found.append(Violation("target.value", "must not be the baseline"))
    if sent.programme and not Measure(sent.measure).of_programme:
        found.append(Violation("target.programme", "this measure is not of one programme; leave it out"))
    return found


def _goal(row: Row[Any]) -> Goal:
    return Goal(row.baseline, row.value, row.start_date, row.due_date)


def _asked(row: Row[Any], last: date) -> store.Asked:
    return store.Asked(row.programme_id or "", row.start_date, last)


def _current(tx: Transaction, rows: Sequence[Row[Any]]) -> list[int | None]:
    """Returns what each target measures now, asking once for each measure."""
    found: dict[str, int | None] = {}
    for measure in {Measure(row.measure) for row in rows}:
        same = [row for row in rows if row.measure == measure]
        asked = [_asked(row, min(row.due_date, tx.today)) for row in same]
        found |= zip([row.id for row in same], store.measured(tx, measure, asked), strict=True)
    return [found[row.id] for row in rows]


def _messages(tx: Transaction, rows: Sequence[Row[Any]]) -> list[pb.Target]:
    return [_message(row, current) for row, current in zip(rows, _current(tx, rows), strict=True)]


def _message(row: Row[Any], current: int | None) -> pb.Target:
    goal = _goal(row)
    message = pb.Target(
        name=f"targets/{row.id}",
        display_names=row.display_names,
        measure=row.measure,
        programme=f"programmes/{row.programme_id}" if row.programme_id else "",
        baseline=row.baseline,
        value=row.value,
        start_date=day(row.start_date),
        due_date=day(row.due_date),
        review_date=day(months_after(day_of(row.reviewed_at), REVIEW_MONTHS)),
        create_time=moment(row.created_at),
        etag=etag_of(row.version),
    )
    if current is not None:
        message.current = current
        message.progress_basis_points = goal.progress(current)
        message.reached = goal.reached(current)
    return message


def _review(row: Row[Any]) -> pb.TargetReview:
    return pb.TargetReview(
        name=f"targets/{row.target_id}/reviews/{row.id}",
        verdict=row.verdict,
        value=row.value,
        former_value=row.former_value,
        current=row.current,
        create_time=moment(row.created_at),
    )
