"""Targets: measured from what happened, reported by month, reviewed by a person, asked for once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import outcome_contract_pb2, report_pb2
from waymark.vouchers.v1 import target_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.store import targets as store
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_bank_results import import_, reference, sent
from tests.integration.vouchers.test_claw_back import claw_back
from tests.integration.vouchers.test_outcome_contracts import enrol, place
from tests.support.bank import Booking, camt054
from tests.support.instruments import active_bond
from tests.support.vouchers import NO_EVIDENCE, OTHER_IBAN, World, cents, day_message, request_id

Target = pb.Target


def target(world: World, measure: Any = Target.MEASURE_VOUCHERS_ISSUED, **changes: Any) -> Any:
    """Sets a target from 40 days ago to the end of next year: from 0 to 10."""
    values: dict[str, Any] = {
        "display_names": {"en": "Target"},
        "measure": measure,
        "baseline": 0,
        "value": 10,
        "start_date": day_message(world.today - timedelta(days=40)),
        "due_date": day_message(date(world.today.year + 1, 12, 31)),
        **changes,
    }
    request = pb.CreateTargetRequest(target=Target(**values), request_id=request_id())
    return world.maker.targets.CreateTarget(request)


def read(world: World, name: str) -> Any:
    """Reads a target."""
    return world.auditor.targets.GetTarget(pb.GetTargetRequest(name=name))


def current(world: World, measure: Any, **changes: Any) -> int | None:
    """Sets a target; returns what it measures now."""
    found = read(world, target(world, measure, **changes).name)
    return found.current if found.HasField("current") else None


def test_vouchers_redemptions_and_payments_are_measured(world: World) -> None:
    plan, other = world.programme(**NO_EVIDENCE), world.programme(**NO_EVIDENCE)
    world.accepted(*world.voucher(plan))
    world.voucher(plan)
    world.voucher(other)
    world.bank_account()
    measures = (
        Target.MEASURE_VOUCHERS_ISSUED,
        Target.MEASURE_VOUCHERS_REDEEMED,
        Target.MEASURE_PAID_CENTS,
    )
    assert [current(world, measure) for measure in measures] == [3, 1, 0]
    sent(world)
    assert [current(world, measure, programme=plan) for measure in measures] == [2, 1, 100_000]
    assert [current(world, measure, programme=other) for measure in measures] == [1, 0, 0]
    later = day_message(world.today + timedelta(days=1))
    assert current(world, Target.MEASURE_VOUCHERS_ISSUED, start_date=later) == 0
    half = target(world, value=6)
    assert (half.progress_basis_points, half.reached) == (5_000, False)
    assert target(world, value=3).reached


def test_what_was_paid_counts_as_the_statistics_count_it_and_not_less_once_it_is_clawed_back(
    world: World,
) -> None:
    plan = world.plan = world.programme(**NO_EVIDENCE)
    world.redemption = world.accepted(*world.voucher(plan))
    world.bank_account()
    batch = sent(world)
    claw_back(world, 30_000)
    request = report_pb2.GetMonthlyStatisticsRequest(month=f"{world.today:%Y-%m}")

    def paid() -> tuple[int | None, int]:
        (month,) = world.auditor.reports.GetMonthlyStatistics(request).programmes
        return current(world, Target.MEASURE_PAID_CENTS), cents(month.paid_amount)

    assert paid() == (100_000, 100_000)
    claw_back(world)
    assert paid() == (100_000, 100_000)
    back = [Booking(reference(batch), 100_000, back=True)]
    import_(world, camt054("N-1", back, account=OTHER_IBAN))
    assert paid() == (0, 0)


def test_placements_are_not_told_of_fewer_than_five(world: World) -> None:
    measure = Target.MEASURE_PLACED_BASIS_POINTS
    assert current(world, measure) is None
    contract = active_bond(world).name
    people = enrol(world, contract, 4)
    assert current(world, measure) is None
    people += enrol(world, contract, 2)
    place(world, contract, people[:2])
    assert current(world, measure) == 3_333
    report = outcome_contract_pb2.ReportOutcomesRequest(
        parent=contract,
        outcome=outcome_contract_pb2.PARTICIPANT_OUTCOME_PLACED,
        participants=people[2:3],
        date=day_message(world.today),
        evidence_reference="list-2",
    )
    world.caseworker.contracts.ReportOutcomes(report)
    assert current(world, measure) == 3_333


def test_service_points_are_noted_by_month_because_nothing_tells_them_later(world: World) -> None:
    name = target(world, Target.MEASURE_SERVICE_POINTS).name
    assert read(world, name).current == 1
    world.accredit("organisations/lab")
    assert read(world, name).current == 1  # it offers nothing yet
    world.offer("courses/lab", organisation="organisations/lab")
    assert read(world, name).current == 2
    jobs.watch_targets(world.app)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE target_values SET month = month - interval '1 month', value = 7"))
    jobs.watch_targets(world.app)
    world.accredit("organisations/lab", accredited=False)
    report = world.auditor.targets.GetTargetReport(pb.GetTargetReportRequest(name=name))
    assert [month.value for month in report.months[-2:]] == [7, 1]
    assert report.months[-1].month == f"{world.today:%Y-%m}"


def test_the_report_has_a_value_and_the_plan_for_each_month(world: World) -> None:
    world.voucher(world.programme())
    start = world.today.replace(day=1) - timedelta(days=62)
    name = target(world, start_date=day_message(start)).name
    report = world.auditor.targets.GetTargetReport(pb.GetTargetReportRequest(name=name))
    assert [month.value for month in report.months] == [0] * (len(report.months) - 1) + [1]
    assert report.months[0].month == f"{start:%Y-%m}"
    assert [month.planned for month in report.months] == sorted(month.planned for month in report.months)
    assert report.target == read(world, name)


def test_a_list_has_for_each_target_what_it_measures_itself(world: World) -> None:
    plan, other = world.programme(**NO_EVIDENCE), world.programme(**NO_EVIDENCE)
    world.accepted(*world.voucher(plan))
    world.voucher(other)
    made = [
        target(world),
        target(world, Target.MEASURE_VOUCHERS_REDEEMED),
        target(world, programme=plan),
        target(world, Target.MEASURE_VOUCHERS_REDEEMED, programme=other),
        target(world, due_date=day_message(world.today - timedelta(days=1))),
        target(world, Target.MEASURE_PLACED_BASIS_POINTS),
    ]
    found = world.auditor.targets.ListTargets(pb.ListTargetsRequest()).targets
    assert [each.current for each in found] == [2, 1, 1, 0, 0, 0]
    assert list(found) == made
    assert not found[-1].HasField("current")


def test_a_target_that_makes_no_sense_is_refused(world: World) -> None:
    wrong = {
        "value": 0,
        "due_date": day_message(world.today - timedelta(days=40)),
        "programme": "programmes/none",
    }
    places = violations_of(lambda: target(world, Target.MEASURE_SERVICE_POINTS, **wrong))
    assert set(places) == {"target.value", "target.due_date", "target.programme"}
    assert refused(lambda: target(world, programme="programmes/none")) == "NOT_FOUND"


def reminders(world: World) -> int:
    """Runs the job; returns how often a review was asked for so far."""
    jobs.watch_targets(world.app)
    with transaction(world.app) as tx:
        asked = text("SELECT count(*) FROM outbox WHERE type LIKE '%TargetReviewDue'")
        return int(tx.execute(asked).scalar_one())


def age(world: World, months: int) -> None:
    """Makes the last review so much longer ago: the database's clock cannot be turned."""
    with transaction(world.app) as tx:
        ago = text("UPDATE targets SET reviewed_at = reviewed_at - make_interval(months => :months)")
        tx.execute(ago, {"months": months})


def test_a_review_is_asked_for_a_month_before_and_once(world: World) -> None:
    name = target(world).name
    age(world, 10)
    assert reminders(world) == 0
    age(world, 1)
    assert [reminders(world), reminders(world)] == [1, 1]
    keep = pb.RecordTargetReviewRequest(
        parent=name, review=pb.TargetReview(verdict=pb.TargetReview.VERDICT_KEEP, value=99)
    )
    kept = world.maker.targets.RecordTargetReview(keep)
    assert (kept.value, kept.former_value, kept.current) == (10, 10, 0)
    assert read(world, name).review_date.year == world.today.year + 1
    assert reminders(world) == 1
    age(world, 11)
    assert reminders(world) == 2


def test_control_without_the_mark_it_is_asked_for_each_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target(world)
    age(world, 11)
    unmarked = text("SELECT id, reviewed_at FROM targets WHERE reviewed_at <= now() - interval '11 months'")
    monkeypatch.setattr(store, "_REMIND", unmarked)
    assert [reminders(world), reminders(world)] == [1, 2]


def test_a_target_that_is_over_is_not_reviewed(world: World) -> None:
    target(world, due_date=day_message(world.today - timedelta(days=1)))
    age(world, 11)
    assert reminders(world) == 0


def test_a_review_may_set_the_value_anew(world: World) -> None:
    name = target(world).name
    adjust = pb.TargetReview(verdict=pb.TargetReview.VERDICT_ADJUST, value=20)
    request = pb.RecordTargetReviewRequest(parent=name, review=adjust, request_id=request_id())
    done = world.maker.targets.RecordTargetReview(request)
    assert (done.value, done.former_value) == (20, 10)
    assert world.maker.targets.RecordTargetReview(request) == done
    assert read(world, name).value == 20
    adjust.value = 0
    wrong = pb.RecordTargetReviewRequest(parent=name, review=adjust)
    assert refused(lambda: world.maker.targets.RecordTargetReview(wrong)) == "INVALID_ARGUMENT"
    listed = world.auditor.targets.ListTargetReviews(pb.ListTargetReviewsRequest(parent=name))
    assert list(listed.reviews) == [done]
    found = world.auditor.targets.ListTargets(pb.ListTargetsRequest()).targets
    assert [each.name for each in found] == [name]
