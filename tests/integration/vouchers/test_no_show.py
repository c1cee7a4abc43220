"""A learner who was not there: nothing is paid, or the share that the programme says; no training counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2, learner_result_pb2, report_pb2, target_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.domain import payment
from services.vouchers.domain import redemption as domain
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_claw_back import intact
from tests.integration.vouchers.test_reports import split, statistics
from tests.integration.vouchers.test_targets import current
from tests.support.quality import look, told
from tests.support.vouchers import World, cents, eur, request_id

State = pb.Redemption


def booked(world: World, percent: int = 0, amount: int = 0, first_day: int = 0) -> Any:
    """Returns an authorised redemption for a session that begins in so many days; the programme pays
    `percent` for a no-show. The learner is in `person_`, the voucher in `voucher_`."""
    made: Any = world
    made.offer(start=world.today + timedelta(days=first_day))
    rule = {"trigger": "TRIGGER_DELIVERY", "noShowPercent": percent}
    made.plan = world.programme(paymentRule=rule)
    made.person_, made.voucher_ = world.voucher(made.plan)
    redemption = world.reserve(made.person_, made.voucher_, amount)
    authorise = pb.AuthoriseRedemptionRequest(name=redemption.name)
    return made.person_.redemptions.AuthoriseRedemption(authorise)


def no_show(world: World, redemption: Any, **options: Any) -> Any:
    """Reports the learner of a redemption, as its provider."""
    request = pb.ReportNoShowRequest(name=redemption.name, **options)
    return world.provider.redemptions.ReportNoShow(request)


def accept(world: World, redemption: Any, amount: int = 0) -> Any:
    """Accepts, as the caseworker."""
    request = pb.AcceptRedemptionRequest(name=redemption.name)
    if amount:
        request.amount.CopyFrom(eur(amount))
    return world.caseworker.redemptions.AcceptRedemption(request)


def available(world: Any) -> int:
    return cents(world.wallet(world.person_, world.voucher_).available)


def test_where_nothing_is_paid_for_it_the_value_returns(world: World) -> None:
    redemption, once = booked(world), request_id()
    ended = no_show(world, redemption, request_id=once)
    assert (ended.state, ended.end_reason) == (State.STATE_VOIDED, State.END_REASON_NOT_ATTENDED)
    assert ended.HasField("no_show_time")
    assert no_show(world, redemption, request_id=once) == ended
    assert refused(lambda: no_show(world, redemption)) == "WRONG_STATE"
    (reported,) = told(world, events_pb2.NoShowReported)
    assert (reported.ref.redemption, cents(reported.amount)) == (redemption.name, 0)
    assert [event.state for event in told(world, events_pb2.RedemptionReleased)] == ["VOIDED"]
    assert available(world) == 100_000
    assert intact(world)


def test_a_share_is_paid_where_the_programme_says_so_and_no_more(world: World) -> None:
    redemption = booked(world, percent=30, amount=99_999)
    reported = no_show(world, redemption)
    assert (reported.state, cents(reported.amount)) == (State.STATE_DELIVERED, 99_999)
    assert refused(lambda: accept(world, redemption, 30_000)) == "AMOUNT_TOO_HIGH"
    accepted = accept(world, redemption)
    assert (accepted.state, cents(accepted.accepted_amount)) == (State.STATE_ACCEPTED, 29_999)
    assert accepted.no_show_time == reported.no_show_time
    (event,) = told(world, events_pb2.RedemptionAccepted)
    assert (event.no_show, cents(event.amount)) == (True, 29_999)
    assert available(world) == 100_000 - 29_999
    assert intact(world)


def test_control_without_the_limit_a_no_show_is_paid_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    redemption = booked(world, percent=30)
    no_show(world, redemption)
    monkeypatch.setattr(payment, "no_show_fee", lambda rule, reserved: reserved)
    assert cents(accept(world, redemption).accepted_amount) == 100_000


def test_a_reported_no_show_can_be_accepted_in_part_or_refused(world: World) -> None:
    redemption = booked(world, percent=30, amount=50_000)
    no_show(world, redemption)
    assert cents(accept(world, redemption, 1_000).accepted_amount) == 1_000
    assert available(world) == 99_000
    redemption = booked(world, percent=30)
    no_show(world, redemption)
    request = pb.RejectRedemptionRequest(name=redemption.name, reason_code=State.END_REASON_OTHER)
    assert world.caseworker.redemptions.RejectRedemption(request).state == State.STATE_REJECTED
    assert available(world) == 100_000
    assert intact(world)


def test_a_share_of_less_than_a_cent_is_nothing(world: World) -> None:
    redemption = booked(world, percent=30, amount=3)
    assert no_show(world, redemption).state == State.STATE_VOIDED


def test_nobody_misses_a_session_before_its_first_day(world: World) -> None:
    redemption = booked(world, first_day=1)
    assert refused(lambda: no_show(world, redemption)) == "NO_SHOW_TOO_EARLY"
    world.offer(start=world.today)
    assert no_show(world, redemption).state == State.STATE_VOIDED


def test_control_without_the_day_a_place_is_lost_before_it_begins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed = domain.Redemption.miss
    monkeypatch.setattr(domain.Redemption, "miss", lambda it, now, _, fee: missed(it, now, None, fee))
    assert no_show(world, booked(world, first_day=1)).state == State.STATE_VOIDED


def test_it_is_reported_of_what_was_agreed_to_and_not_delivered_by_whom_it_concerns(world: World) -> None:
    redemption = booked(world, percent=10, amount=50_000)
    other = world.person("provider", org="organisations/other")
    request = pb.ReportNoShowRequest(name=redemption.name)
    assert refused(lambda: other.redemptions.ReportNoShow(request)) == "NOT_FOUND"
    reserved = world.reserve(world.person_, world.voucher_, 10_000)  # type: ignore[attr-defined]
    assert refused(lambda: no_show(world, reserved)) == "WRONG_STATE"
    world.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(name=redemption.name))
    assert world.caseworker.redemptions.ReportNoShow(request).state == State.STATE_DELIVERED
    delivered = world.delivered(world.person_, world.voucher_, 10_000)  # type: ignore[attr-defined]
    assert refused(lambda: no_show(world, delivered)) == "WRONG_STATE"


def test_nobody_is_asked_about_a_training_that_they_missed(world: Any) -> None:
    redemption = booked(world, percent=50)
    no_show(world, redemption)
    marks = learner_result_pb2.Feedback(satisfaction=1, skills_gained=1)
    feedback = learner_result_pb2.GiveFeedbackRequest(name=f"{redemption.name}/feedback", feedback=marks)
    assert refused(lambda: world.person_.results.GiveFeedback(feedback)) == "WRONG_STATE"
    accept(world, redemption)
    look(world)
    outcome = learner_result_pb2.LearnerOutcome(status=learner_result_pb2.LearnerOutcome.STATUS_EMPLOYED)
    report = learner_result_pb2.ReportOutcomeRequest(name=f"{redemption.name}/outcome", outcome=outcome)
    assert refused(lambda: world.system.results.ReportOutcome(report)) == "WRONG_STATE"
    with transaction(world.app) as tx:
        assert tx.execute(text("SELECT count(*) FROM acceptances")).scalar_one() == 0
        assert tx.execute(text("SELECT count(checked_at) FROM redemptions")).scalar_one() == 1


def test_figures_count_trainings_without_it_and_money_with_it(world: Any) -> None:
    redemption = booked(world, percent=50)
    no_show(world, redemption)
    accept(world, redemption)
    found = statistics(world, world.plan)
    assert (found.reserved, found.accepted, found.no_shows) == (1, 0, 1)
    assert cents(found.accepted_amount) == 50_000
    (row,) = split(world, report_pb2.STATISTICS_DIMENSION_PROGRAMME).values()
    assert (row.accepted, cents(row.accepted_amount)) == (0, 50_000)
    assert current(world, target_pb2.Target.MEASURE_VOUCHERS_REDEEMED) == 0
