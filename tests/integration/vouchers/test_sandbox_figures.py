"""The sandbox is in nobody's figures, and nobody is watched, asked or told because of it.

The control of each: the same rows in euro, which count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text, true
from waymark.vouchers.v1 import application_pb2, events_pb2, export_pb2, report_pb2
from waymark.vouchers.v1.monitoring_rule_pb2 import SampleCondition

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.store import exports, learner_results
from tests.integration.vouchers.test_exports import CSV, asking, rows, whole
from tests.integration.vouchers.test_reminders import expires_in, reminded
from tests.integration.vouchers.test_reports import make_older, month, split
from tests.integration.vouchers.test_targets import Target, current
from tests.integration.vouchers.test_webhooks import ISSUED, deliver, register
from tests.support.quality import Sanction, look, rule, run, sanction, told
from tests.support.receivers import Receiver, receiver
from tests.support.sandbox import accepted, claw_back, made, paid, reserved
from tests.support.sandbox import sandbox as sandbox_programme
from tests.support.vouchers import World, day_message

ENTERED = ("applications", "vouchers", "redemptions")


def in_euro(world: World) -> None:
    """Makes the rows of the sandbox real ones."""
    for table in ENTERED:
        run(world, f"UPDATE {table} SET currency = 'EUR' WHERE currency = 'XTS'")


def statistics(world: World) -> int:
    """Returns how many programmes the month counts."""
    request = report_pb2.GetMonthlyStatisticsRequest(month=month(world))
    return len(world.auditor.reports.GetMonthlyStatistics(request).programmes)


def clawed_back(world: World) -> int:
    """Returns how many claw-backs the month counts."""
    request = report_pb2.GetMonthlyStatisticsRequest(month=month(world))
    return sum(each.clawed_back for each in world.auditor.reports.GetMonthlyStatistics(request).programmes)


def esf(world: World) -> int:
    """Returns how many entrants the indicators know or do not know."""
    day = day_message(world.today)
    request = report_pb2.GetEsfIndicatorsRequest(start_date=day, end_date=day)
    found = world.payer.reports.GetEsfIndicators(request).indicators
    return sum(each.participants + each.unknown for each in found)


def open_data(world: World) -> int:
    """Returns how many programmes the open data of the quarter before name; vouchers are that old."""
    make_older(world, "vouchers", 100)
    then = run_scalar(world, "SELECT min(created_at) FROM vouchers")
    request = report_pb2.GetOpenDataRequest(quarter=f"{then.year}-Q{(then.month + 2) // 3}")
    return len(world.person().reports.GetOpenData(request).programmes)


def run_scalar(world: World, statement: str) -> Any:
    """Returns what a statement reads."""
    with transaction(world.app) as tx:
        return tx.execute(text(statement)).scalar_one()


def exported(world: World) -> int:
    """Returns how many redemptions are exported."""
    return len(rows(whole(world.payer, asking(world, export_pb2.EXPORT_DATASET_REDEMPTIONS, CSV))))


def results(world: World) -> int:
    """Returns for how many courses learners' results are summed, once feedback is there."""
    run(
        world,
        """INSERT INTO feedback (redemption_id, satisfaction, skills_gained, created_at, updated_at)
      SELECT id, 5, 5, now(), now() FROM redemptions ON CONFLICT DO NOTHING""",
    )
    with transaction(world.app) as tx:
        return len(learner_results.sums(tx, "course", "", "", 0))


def applications(world: World) -> int:
    """Returns how many applications the desk lists."""
    found = world.caseworker.applications.ListApplications(application_pb2.ListApplicationsRequest())
    return len(found.applications)


def measured(measure: Any) -> Callable[[World], int]:
    """Returns what a target measures."""
    return lambda world: current(world, measure) or 0


FIGURES: dict[str, Callable[[World], int]] = {
    "statistics": statistics,
    "claw-backs": clawed_back,
    "by programme": lambda world: len(split(world, report_pb2.STATISTICS_DIMENSION_PROGRAMME)),
    "by region": lambda world: len(split(world, report_pb2.STATISTICS_DIMENSION_REGION)),
    "by occupation": lambda world: len(split(world, report_pb2.STATISTICS_DIMENSION_OCCUPATION)),
    "ESF+": esf,
    "open data": open_data,
    "export": exported,
    "results": results,
    "desk": applications,
    "vouchers issued": measured(Target.MEASURE_VOUCHERS_ISSUED),
    "vouchers redeemed": measured(Target.MEASURE_VOUCHERS_REDEEMED),
}  # What was paid is measured of payment_shares, which a check keeps real: in euro it would not be there.


@pytest.mark.parametrize("figure", FIGURES)
def test_no_figure_counts_it_and_each_would_in_euro(world: World, figure: str) -> None:
    programme = sandbox_programme(world)
    paid(world, programme)
    claw_back(world, accepted(world, programme).name)
    reserved(world, made(world, programme).code)
    assert FIGURES[figure](world) == 0
    in_euro(world)
    assert FIGURES[figure](world) > 0


def test_the_ledger_has_it_and_its_export_does_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(world, sandbox_programme(world))
    assert measured(Target.MEASURE_PAID_CENTS)(world) == 0
    assert run_scalar(world, "SELECT count(*) FROM ledger_entries WHERE currency = 'XTS'") > 5
    assert run_scalar(world, "SELECT count(*) FROM ledger_entries WHERE currency <> 'XTS'") == 0
    request = asking(world, export_pb2.EXPORT_DATASET_LEDGER_ENTRIES, CSV)
    assert rows(whole(world.payer, request)) == []
    assert world.verify().intact
    monkeypatch.setattr(exports, "apart", lambda _: true())  # the control
    assert {row["currency"] for row in rows(whole(world.payer, request))} == {"XTS"}


@pytest.mark.parametrize("real", [False, True])
def test_no_rule_looks_at_it_and_nobody_is_asked_later(world: World, real: bool) -> None:
    rule(world, sample=SampleCondition(share_basis_points=10_000))  # one that hits whatever is accepted
    accepted(world, sandbox_programme(world))
    if real:
        in_euro(world)
    assert len(look(world)) == real
    assert run_scalar(world, "SELECT count(*) FROM redemptions WHERE checked_at IS NULL") == 0
    assert run_scalar(world, "SELECT count(*) FROM acceptances") == real
    run(world, "UPDATE acceptances SET accepted_at = accepted_at - interval '7 months'")
    jobs.ask_outcomes(world.app)
    assert len(told(world, events_pb2.OutcomeAsked)) == real


@pytest.mark.parametrize("real", [False, True])
def test_nobody_is_reminded_or_rebooked(world: World, real: bool) -> None:
    programme = sandbox_programme(world)
    reserved(world, made(world, programme).code)
    made(world, programme)
    if real:
        in_euro(world)
    for voucher in run_scalar(world, "SELECT array_agg(id) FROM vouchers WHERE available_cents > 0"):
        expires_in(world, str(voucher), 5)
    assert len(reminded(world)) == real
    sanction(world, Sanction.KIND_DELISTED)
    jobs.rebook(world.app)
    assert len(told(world, events_pb2.RebookingOffered)) == real


@pytest.fixture
def office() -> Iterator[Receiver]:
    """A back office that listens."""
    with receiver() as found:
        yield found


def test_a_back_office_is_told_with_the_mark(world: World, office: Receiver) -> None:
    register(world, office.url)
    made_up = made(world, sandbox_programme(world))
    learner, _ = world.voucher()
    deliver(world)
    marks = {body["data"]["learner"]: body["data"].get("sandbox") for body in office.bodies()}
    assert {body["type"] for body in office.bodies()} == {ISSUED}
    assert marks == {made_up.learner: True, learner.learner: None}
