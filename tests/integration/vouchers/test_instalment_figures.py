"""Instalments in figures and rules: trainings are counted once, sums of money take every part."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import (
    complaint_pb2,
    events_pb2,
    export_pb2,
    learner_result_pb2,
    report_pb2,
    target_pb2,
)
from waymark.vouchers.v1 import monitoring_rule_pb2 as rules
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from tests.integration.vouchers import test_instalments, test_reports
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_bank_results import approved
from tests.integration.vouchers.test_exports import asking, rows, whole
from tests.integration.vouchers.test_instalments import AMOUNTS, WHOLE, deliver, paid, part
from tests.integration.vouchers.test_learner_results import six_months_ago
from tests.integration.vouchers.test_targets import current
from tests.support.quality import Alert, look, rule, told
from tests.support.vouchers import cents, eur

parted = test_instalments.parted


def statistics(world: Any) -> tuple[int, int, int]:
    """What the month counts of the programme: reserved, accepted, cents accepted."""
    found = test_reports.statistics(world, world.plan)
    return found.reserved, found.accepted, cents(found.accepted_amount)


def split(world: Any) -> tuple[int, int, int]:
    """What the month's breakdown counts: accepted, cents accepted, cents paid."""
    (row,) = test_reports.split(world, report_pb2.STATISTICS_DIMENSION_PROGRAMME).values()
    return row.accepted, cents(row.accepted_amount), cents(row.paid_amount)


def finish(world: Any) -> Any:
    """Accepts all that is left; returns the redemption."""
    paid(world)
    for _ in AMOUNTS[1:]:
        deliver(world)
        answer = paid(world)
    return answer


def test_a_training_counts_with_its_last_instalment_and_money_with_each(parted: Any) -> None:
    redeemed, money = target_pb2.Target.MEASURE_VOUCHERS_REDEEMED, target_pb2.Target.MEASURE_PAID_CENTS
    paid(parted)
    approved(parted)
    assert statistics(parted) == (1, 0, AMOUNTS[0])
    assert split(parted) == (0, AMOUNTS[0], AMOUNTS[0])
    assert (current(parted, redeemed), current(parted, money)) == (0, AMOUNTS[0])
    for _ in AMOUNTS[1:]:
        deliver(parted)
        paid(parted)
    approved(parted)
    assert statistics(parted) == (1, 1, WHOLE)
    assert split(parted) == (1, WHOLE, WHOLE)
    assert (current(parted, redeemed), current(parted, money)) == (1, WHOLE)


def test_an_export_tells_parts_from_trainings(parted: Any) -> None:
    answer = finish(parted)
    request = asking(parted, export_pb2.EXPORT_DATASET_REDEMPTIONS, export_pb2.EXPORT_FORMAT_CSV)
    found = rows(whole(parted.auditor, request))
    assert [row["redemption"] for row in found if not row["part_of"]] == [answer.name]
    assert {row["part_of"] for row in found} == {"", answer.name}
    for column in ("reserved_cents", "accepted_cents"):
        assert sum(int(row[column]) for row in found) == WHOLE
    assert sum(int(row["price_cents"]) for row in found) == 100_000


def test_a_learner_is_asked_once_about_the_whole(parted: Any) -> None:
    answer = finish(parted)
    six_months_ago(parted)
    jobs.ask_outcomes(parted.app)
    asked = told(parted, events_pb2.OutcomeAsked)
    assert [event.redemption for event in asked] == [answer.name]
    with transaction(parted.app) as tx:
        kept = tx.execute(text("SELECT accepted_cents FROM acceptances")).scalars().all()
    assert kept == [WHOLE]


def test_rules_measure_what_a_training_has_cost_so_far(parted: Any) -> None:
    high = rules.AmountCondition(above=eur(AMOUNTS[0] + 1))
    rule(parted, amount=high)
    paid(parted)
    assert look(parted) == []
    deliver(parted)
    second = part(paid(parted))
    (alert,) = look(parted)
    assert (alert.kind, alert.redemption, alert.measured) == (
        Alert.KIND_AMOUNT,
        second,
        AMOUNTS[0] + AMOUNTS[1],
    )
    deliver(parted)
    last = paid(parted)
    assert {alert.redemption: alert.measured for alert in look(parted)} == {
        second: AMOUNTS[0] + AMOUNTS[1],
        last.name: WHOLE,
    }
    assert refused(parted.batch) == "NOTHING_TO_PAY"  # the last one's hold is of the whole training


@pytest.mark.parametrize("what", ["feedback", "outcome", "complaint"])
def test_a_part_is_no_training_to_speak_of(parted: Any, what: str) -> None:
    name = part(paid(parted))
    if what == "feedback":
        marks = learner_result_pb2.Feedback(satisfaction=3, skills_gained=3)
        request: Any = learner_result_pb2.GiveFeedbackRequest(name=f"{name}/feedback", feedback=marks)
        call: Any = parted.learner_.results.GiveFeedback
    elif what == "outcome":
        outcome = learner_result_pb2.LearnerOutcome(status=learner_result_pb2.LearnerOutcome.STATUS_EMPLOYED)
        request = learner_result_pb2.ReportOutcomeRequest(name=f"{name}/outcome", outcome=outcome)
        call = parted.system.results.ReportOutcome
    else:
        complaint = complaint_pb2.Complaint(kind=complaint_pb2.Complaint.KIND_NOT_HELD)
        request = complaint_pb2.FileComplaintRequest(parent=name, complaint=complaint)
        call = parted.learner_.complaints.FileComplaint
    assert refused(lambda: call(request)) == "REDEMPTION_IS_PART"


def test_feedback_is_given_on_the_whole(parted: Any) -> None:
    answer = finish(parted)
    assert answer.state == pb.Redemption.STATE_ACCEPTED
    marks = learner_result_pb2.Feedback(satisfaction=5, skills_gained=4)
    request = learner_result_pb2.GiveFeedbackRequest(name=f"{answer.name}/feedback", feedback=marks)
    assert parted.learner_.results.GiveFeedback(request).satisfaction == 5
