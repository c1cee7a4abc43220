"""LearnerResultService: feedback, where learners are when they leave and later, sums that tell of nobody."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import learner_result_pb2 as pb
from waymark.vouchers.v1 import learner_result_pb2_grpc

from services.platform.days import day_of
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of, day, moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain import results
from services.vouchers.domain.redemption import need_whole
from services.vouchers.domain.states import RedemptionState as State
from services.vouchers.domain.states import need
from services.vouchers.relationships import learner_of
from services.vouchers.store import learner_results, names, redemptions

DELIVERED = (State.DELIVERED, State.ACCEPTED, State.SETTLING, State.PAID, State.CLAWED_BACK)
GROUP_NAMES = {0: "programme", 1: "programme", 2: "organisation", 3: "course"}
Outcome = pb.LearnerOutcome
Leaving = pb.LearnerLeaving


class LearnerResultApi(learner_result_pb2_grpc.LearnerResultServiceServicer):
    """What training did for learners."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def GiveFeedback(self, tx: Transaction, request: pb.GiveFeedbackRequest) -> pb.Feedback:
        about = redemptions.get(tx, names.uuid_above(request.name, "redemptions"))
        need_whole(about.part_of)
        need(State(about.state), DELIVERED)
        results.need_attended(about.no_show_at)
        marks = request.feedback
        row = learner_results.give(tx, about.id, marks.satisfaction, marks.skills_gained)
        if row is None:
            raise Refusal(reason_pb2.REASON_FEEDBACK_CLOSED)
        return _feedback(row)

    @query
    def GetFeedback(self, tx: Transaction, request: pb.GetFeedbackRequest) -> pb.Feedback:
        return _feedback(learner_results.feedback_on(tx, names.uuid_above(request.name, "redemptions")))

    @mutation
    def ReportOutcome(self, tx: Transaction, request: pb.ReportOutcomeRequest) -> pb.LearnerOutcome:
        redemption, said = names.uuid_above(request.name, "redemptions"), request.outcome
        row = learner_results.outcome_of(tx, redemption)
        need_whole(row.part_of)
        need(State(row.state), results.ACCEPTED)
        results.need_attended(row.no_show_at)
        own = row.learner == learner_of(tx.principal)
        if own and tx.now < results.due(row.accepted_at):
            metadata = {"due_time": results.due(row.accepted_at).isoformat()}
            raise Refusal(reason_pb2.REASON_OUTCOME_NOT_DUE, metadata=metadata)
        _check_improved(said)
        values = {
            "redemption_id": redemption,
            "status": said.status,
            "improved": said.improved if said.HasField("improved") else None,
            "source": Outcome.SOURCE_LEARNER if own else Outcome.SOURCE_PES_REGISTER,
            "observed_on": _observed(tx, said, "outcome", day_of(row.accepted_at)),
            "answered_at": tx.now,
        }
        learner_results.report(tx, values)
        return _outcome(learner_results.outcome_of(tx, redemption))

    @query
    def GetLearnerOutcome(self, tx: Transaction, request: pb.GetLearnerOutcomeRequest) -> pb.LearnerOutcome:
        return _outcome(learner_results.outcome_of(tx, names.uuid_above(request.name, "redemptions")))

    @mutation
    def ReportLeaving(self, tx: Transaction, request: pb.ReportLeavingRequest) -> pb.LearnerLeaving:
        redemption, said = names.uuid_above(request.name, "redemptions"), request.leaving
        row = learner_results.leaving_of(tx, redemption)
        need_whole(row.part_of)
        need(State(row.state), DELIVERED)
        results.need_attended(row.no_show_at)
        left = results.left_on(row.end_date, row.delivered_at)
        assert left is not None  # it was delivered
        own = row.learner == learner_of(tx.principal)
        values = {
            "redemption_id": redemption,
            **_told_upon_leaving(said),
            "source": Outcome.SOURCE_LEARNER if own else Outcome.SOURCE_PES_REGISTER,
            "left_on": left,
            "observed_on": _observed(tx, said, "leaving", left, left + results.UPON_LEAVING),
            "answered_at": tx.now,
        }
        learner_results.report_leaving(tx, values)
        return _leaving(learner_results.leaving_of(tx, redemption))

    @query
    def GetLearnerLeaving(self, tx: Transaction, request: pb.GetLearnerLeavingRequest) -> pb.LearnerLeaving:
        return _leaving(learner_results.leaving_of(tx, names.uuid_above(request.name, "redemptions")))

    @query
    def GetLearnerResults(self, tx: Transaction, request: pb.GetLearnerResultsRequest) -> pb.LearnerResults:
        rows = learner_results.sums(
            tx,
            GROUP_NAMES[request.group_by],
            names.last(request.programme),
            request.organisation,
            request.year,
        )
        feedback = results.hidden((row.name, row.feedback_learners) for row in rows)
        outcomes = results.hidden((row.name, row.outcome_learners) for row in rows)
        return pb.LearnerResults(
            groups=[_group(row, row.name in feedback, row.name in outcomes) for row in rows]
        )


def _observed(
    tx: Transaction, said: Outcome | Leaving, field: str, first: date, last: date = date.max
) -> date:
    """Returns the day that an answer is about, by default today; raises Refusal(INVALID_ARGUMENT) for one
    that is none, to come, before `first` or after `last`."""
    observed = tx.today
    end = min(last, observed)
    if said.HasField("observed_date"):
        observed = date_of(said.observed_date, f"{field}.observed_date")
    if not first <= observed <= end:
        raise invalid(f"{field}.observed_date", f"must be from {first} to {end}")
    return observed


def _check_improved(said: Outcome) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for work that got better of somebody without any."""
    if said.HasField("improved") and said.status not in (
        Outcome.STATUS_EMPLOYED,
        Outcome.STATUS_EMPLOYED_IN_OCCUPATION,
    ):
        raise invalid("outcome.improved", "goes with a status at work only")


def _told_upon_leaving(said: Leaving) -> dict[str, Any]:
    """Returns what is said, None for what is left out; raises Refusal(INVALID_ARGUMENT) for nothing."""
    told = {
        "status": said.status or None,
        "in_education": said.in_education if said.HasField("in_education") else None,
        "qualified": said.qualified if said.HasField("qualified") else None,
    }
    if all(value is None for value in told.values()):
        raise invalid("leaving", f"must say one of {', '.join(told)}")
    return told


def _feedback(row: Row[Any]) -> pb.Feedback:
    return pb.Feedback(
        name=f"redemptions/{row.redemption_id}/feedback",
        satisfaction=row.satisfaction,
        skills_gained=row.skills_gained,
        create_time=moment(row.created_at),
        update_time=moment(row.updated_at),
        change_time_limit=moment(row.created_at + results.CHANGEABLE),
    )


def _outcome(row: Row[Any]) -> pb.LearnerOutcome:
    return Outcome(
        name=f"redemptions/{row.id}/outcome",
        status=row.status,
        source=row.source,
        observed_date=day(row.observed_on) if row.observed_on else None,
        due_time=moment(results.due(row.accepted_at)) if row.accepted_at else None,
        ask_time=moment(row.asked_at),
        answer_time=moment(row.answered_at),
        improved=row.improved,
    )


def _leaving(row: Row[Any]) -> pb.LearnerLeaving:
    left = results.left_on(row.end_date, row.delivered_at)
    return Leaving(
        name=f"redemptions/{row.id}/leaving",
        status=row.status,
        in_education=row.in_education,
        qualified=row.qualified,
        source=row.source,
        observed_date=day(row.observed_on) if row.observed_on else None,
        leaving_date=day(left) if left else None,
        last_date=day(left + results.UPON_LEAVING) if left else None,
        answer_time=moment(row.answered_at),
    )


def _group(row: Row[Any], no_feedback: bool, no_outcomes: bool) -> pb.ResultGroup:
    group = pb.ResultGroup(group=row.name, feedback_suppressed=no_feedback, outcome_suppressed=no_outcomes)
    if not no_feedback and row.feedback_count:
        group.feedback_count = row.feedback_count
        group.satisfaction_mean = round(row.satisfaction / row.feedback_count, 2)
        group.skills_gained_mean = round(row.skills / row.feedback_count, 2)
        group.satisfaction_counts.extend(getattr(row, f"mark_{mark}") for mark in range(1, 6))
    if not no_outcomes and row.outcome_count:
        group.outcome_count = row.outcome_count
        group.employed_in_occupation, group.employed = row.status_1, row.status_2
        group.in_training, group.seeking = row.status_3, row.status_4
    return group
