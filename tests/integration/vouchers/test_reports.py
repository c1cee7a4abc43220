"""Figures for those who steer programmes, and for everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from waymark.vouchers.v1 import learner_result_pb2, programme_pb2
from waymark.vouchers.v1 import report_pb2 as pb

from services.platform.db.transaction import transaction
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_bank_results import approved, import_, reference, sent
from tests.integration.vouchers.test_claw_back import claw_back
from tests.support.bank import Booking, camt054
from tests.support.vouchers import NO_EVIDENCE, OTHER_IBAN, World, cents, day_message


def month(world: World) -> str:
    return f"{world.today:%Y-%m}"


def statistics(world: World, programme: str) -> Any:
    request = pb.GetMonthlyStatisticsRequest(month=month(world), programme=programme)
    (found,) = world.auditor.reports.GetMonthlyStatistics(request).programmes
    return found


def split(world: World, dimension: int, **options: Any) -> dict[str, Any]:
    request = pb.GetStatisticsBreakdownRequest(month=month(world), dimension=dimension, **options)
    return {row.key: row for row in world.auditor.reports.GetStatisticsBreakdown(request).rows}


def make_older(world: World, table: str, days: int, column: str = "created_at") -> None:
    """Makes all rows so many days older: the database's clock cannot be turned."""
    with transaction(world.app) as tx:
        statement = f"UPDATE {table} SET {column} = {column} - make_interval(days => :days)"
        tx.execute(text(statement), {"days": days})


def test_the_month_counts_what_was_taken_back_and_what_came_back(world: World) -> None:
    plan = world.programme(**NO_EVIDENCE)
    world.bank_account()
    world.redemption = world.accepted(*world.voucher(plan), amount=60_000)
    batch = sent(world)
    found = statistics(world, plan)
    assert (cents(found.paid_amount), cents(found.net_accepted_amount)) == (60_000, 60_000)
    back = [Booking(reference(batch), 60_000, back=True, reason="AC04")]
    import_(world, camt054("BACK-1", back, account=OTHER_IBAN))
    assert cents(statistics(world, plan).paid_amount) == 0
    sent(world)
    claw_back(world, 25_000)
    claw_back(world, 5_000)
    found = statistics(world, plan)
    assert (found.clawed_back, cents(found.clawed_back_amount)) == (2, 30_000)
    assert (cents(found.accepted_amount), cents(found.net_accepted_amount)) == (60_000, 30_000)
    assert (cents(found.paid_amount), cents(found.recovered_amount)) == (60_000, 0)
    world.accepted(*world.voucher(plan), amount=40_000)
    approved(world)
    found = statistics(world, plan)
    assert (cents(found.paid_amount), cents(found.recovered_amount)) == (100_000, 30_000)
    assert cents(found.paid_amount) - cents(found.recovered_amount) == world.balances()[7]


def test_a_month_is_split_by_programme_region_and_occupation(world: World) -> None:
    world.redemption = world.accepted(*world.voucher(first := world.programme(**NO_EVIDENCE)), amount=60_000)
    second = world.programme(**NO_EVIDENCE)
    world.apply(world.learner(employment_status="employed"), second)
    elsewhere = world.offer("courses/roofing", nuts="BE32")
    learner = world.learner()
    world.apply(learner, second, elsewhere)
    claw_back(world, 10_000)
    world.bank_account()
    approved(world)
    found = split(world, pb.STATISTICS_DIMENSION_PROGRAMME)
    assert found.keys() == {first, second}
    assert (found[second].applications, found[second].granted, found[second].refused) == (2, 1, 1)
    mine = found[first]
    assert (mine.accepted, cents(mine.accepted_amount), cents(mine.clawed_back_amount)) == (1, 60_000, 10_000)
    assert cents(mine.paid_amount) == 50_000
    regions = split(world, pb.STATISTICS_DIMENSION_REGION)
    assert {key: row.granted for key, row in regions.items()} == {"BE21": 1, "BE32": 1}
    assert cents(regions["BE21"].paid_amount) == 50_000
    countries = split(world, pb.STATISTICS_DIMENSION_REGION, nuts_length=2, programme=second)
    assert {key: row.applications for key, row in countries.items()} == {"BE": 2}
    occupations = split(world, pb.STATISTICS_DIMENSION_OCCUPATION)
    assert {key: (row.granted, cents(row.accepted_amount)) for key, row in occupations.items()} == {
        "7212": (2, 60_000)
    }


def test_participants_are_counted_by_the_facts_their_grant_was_decided_on(world: World) -> None:
    year = world.today.year
    plan = world.programme(**NO_EVIDENCE)
    other = world.programme(**NO_EVIDENCE)
    learner = world.learner(
        birth_year=year - 20, education_level=4, has_disability=True, third_country_national=False
    )
    world.apply(learner, plan)
    world.apply(learner, other, world.offer("courses/roofing"))  # one person
    world.apply(world.learner(birth_year=year - 60, education_level=6), plan)
    world.apply(world.learner(education_level=2), plan)
    world.apply(world.learner(employment_status="employed"), plan)  # refused, so no participant
    world.push(learner, {"employment_status": "employed"})  # what is known later does not count

    def ask(**options: Any) -> dict[str, tuple[int, int]]:
        days = {"start_date": day_message(world.today), "end_date": day_message(world.today)}
        answer = world.payer.reports.GetEsfIndicators(pb.GetEsfIndicatorsRequest(**days | options))
        assert list(answer.not_covered) == ["EECO18", "EECO19"]
        return {each.code: (each.participants, each.unknown) for each in answer.indicators}

    found = ask()
    assert (found["EECO01"], found["EECO02"], found["EECO03"]) == ((3, 0), (3, 0), (0, 3))
    assert (found["EECO07"], found["EECO08"], found["EECO06"]) == ((1, 1), (1, 1), (0, 1))
    assert [found[f"EECO{code}"] for code in ("09", "10", "11")] == [(1, 0)] * 3
    assert (found["EECO12"], found["EECO13"]) == ((1, 2), (0, 2))
    assert ask(programme=other)["EECO01"] == (1, 0)
    yesterday = day_message(world.today - timedelta(days=1))
    assert ask(start_date=yesterday, end_date=yesterday)["EECO01"] == (0, 0)
    assert refused(lambda: ask(end_date=yesterday)) == "INVALID_ARGUMENT"


def test_who_found_work_is_counted_by_what_was_said_six_months_after_the_training(world: World) -> None:
    plan = world.programme(fund=10_000_000, **NO_EVIDENCE)
    late, early, seeking = (world.accepted(*world.voucher(plan)).name for _ in range(3))
    world.voucher(plan)  # nothing is known of what came of it
    make_older(world, "redemptions", 200, "accepted_at")
    Status = learner_result_pb2.LearnerOutcome
    said = {
        late: Status(status=Status.STATUS_EMPLOYED),
        early: Status(
            status=Status.STATUS_EMPLOYED, observed_date=day_message(world.today - timedelta(days=30))
        ),
        seeking: Status(status=Status.STATUS_SEEKING),
    }
    for redemption, outcome in said.items():
        name = f"{redemption}/outcome"
        request = learner_result_pb2.ReportOutcomeRequest(name=name, outcome=outcome)
        world.system.results.ReportOutcome(request)
    today = day_message(world.today)
    asked = pb.GetEsfIndicatorsRequest(start_date=today, end_date=today)
    found = {each.code: each for each in world.payer.reports.GetEsfIndicators(asked).indicators}
    assert (found["EECR05"].participants, found["EECR05"].unknown) == (1, 2)


def test_a_forecast_names_its_method_and_adds_up(world: World) -> None:
    plan = world.programme(fund=1_000_000, **NO_EVIDENCE)
    world.voucher(plan)
    (budget,) = world.maker.programmes.ListBudgets(programme_pb2.ListBudgetsRequest(parent=plan)).budgets
    young = world.payer.reports.GetBudgetForecast(pb.GetBudgetForecastRequest(name=budget.name))
    assert (cents(young.window_granted), young.window_start_date) == (100_000, day_message(world.today))
    make_older(world, "vouchers", 40)  # so that the month before is a full one
    for _ in range(2):
        world.voucher(plan)
    make_older(world, "vouchers", world.today.day + 3)  # into the month before
    learner, voucher = world.voucher(plan)
    world.accepted(learner, voucher, amount=30_000)
    world.reserve(learner, voucher, amount=20_000)
    listed = world.maker.programmes.ListBudgets(programme_pb2.ListBudgetsRequest(parent=plan))
    budget = listed.budgets[0].name
    found = world.payer.reports.GetBudgetForecast(pb.GetBudgetForecastRequest(name=budget, months=1))
    assert found.method == pb.BudgetForecast.METHOD_LINEAR_RUN_RATE
    last = world.today.replace(day=1) - timedelta(days=1)
    assert found.window_end_date == day_message(last)
    left = (world.today.replace(month=12, day=31) - world.today).days
    expected = 200_000 * left // last.day
    assert (cents(found.window_granted), found.days_left) == (200_000, left)
    assert (cents(found.spent), cents(found.reserved)) == (30_000, 20_000)
    assert cents(found.open) == 350_000
    assert cents(found.expected_grants) == expected
    assert cents(found.forecast) == 400_000 + expected
    assert cents(found.expected_balance) == cents(found.funded) - cents(found.forecast)
    nothing = world.payer.reports.GetBudgetForecast(pb.GetBudgetForecastRequest(name=budget, months=0))
    assert nothing.window_start_date != found.window_start_date
    lost = pb.GetBudgetForecastRequest(name=f"{plan}/budgets/lost")
    assert refused(lambda: world.payer.reports.GetBudgetForecast(lost)) == "NOT_FOUND"


def test_open_data_hides_small_numbers_and_everybody_may_ask(world: World) -> None:
    big, small = world.programme(fund=2_000_000, **NO_EVIDENCE), world.programme(**NO_EVIDENCE)
    for plan, people in ((big, 7), (small, 2)):
        for _ in range(people):
            world.voucher(plan)
    quarter = f"{world.today.year}-Q{(world.today.month + 2) // 3}"
    anybody = world.person()

    def ask(name: str) -> Any:
        return anybody.reports.GetOpenData(pb.GetOpenDataRequest(quarter=name))

    assert refused(lambda: ask(quarter)) == "PERIOD_NOT_OVER"
    make_older(world, "vouchers", 100)
    then = world.today - timedelta(days=100)
    data = ask(f"{then.year}-Q{(then.month + 2) // 3}")
    assert (data.total.participants, data.total.suppressed) == (9, False)
    assert {cell.key: (cell.participants, cell.suppressed) for cell in data.programmes} == {
        big: (0, True),
        small: (0, True),
    }
    assert [(cell.key, cell.participants) for cell in data.regions] == [("BE21", 9)]
    assert ask("0001-Q1").total.participants == 0
