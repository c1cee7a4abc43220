"""Facts pinned to decisions and words of closed cases have an end; what they counted for stays."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import application_pb2, funding_source_pb2, programme_pb2, report_pb2

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.domain import esf
from services.vouchers.store import reports, simulations
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_replay import differing, replayed
from tests.integration.vouchers.test_subject_erased import OPEN, everything_written, words
from tests.support.vouchers import NO_EVIDENCE, World, day_message

# Every time that a case may be counted from.
TIMES = {
    "applications": ("created_at", "decided_at", "appealed_at", "appeal_decided_at", "appeal_until"),
    "vouchers": ("created_at", "expires_at"),
    "redemptions": ("updated_at",),
}
CLOSED = ("UPDATE vouchers SET state = 4", "UPDATE redemptions SET state = 7")
EU_FUND = "UPDATE funding_sources SET kind = 3"
PAID_NOW = """INSERT INTO payment_shares (id, transaction, movement, redemption_id, voucher_id, programme_id,
  version_number, funding_source_id, cents, currency, created_at)
SELECT gen_random_uuid(), gen_random_uuid(), 1, r.id, r.voucher_id, r.programme_id, 1, s.id, 100, 'EUR', now()
FROM (SELECT * FROM redemptions ORDER BY created_at DESC LIMIT 1) r, funding_sources s LIMIT 1"""


def run(world: World, *statements: str) -> None:
    with transaction(world.app) as tx:
        for statement in statements:
            tx.execute(text(statement))


def make_older(world: World, years: int) -> None:
    """Makes every case so many years older; its time for an appeal ends in the year of the decision."""
    run(world, "UPDATE applications SET appeal_until = CAST(decided_at AS date)")
    for table, names in TIMES.items():
        moved = ", ".join(f"{name} = {name} - interval '{years} years'" for name in names)
        run(world, f"UPDATE {table} SET {moved}")


def kept(world: World) -> int:
    """Lets the job run; returns how many applications have their facts."""
    jobs.let_go_of_facts(world.app)
    with transaction(world.app) as tx:
        query = "SELECT count(*) FROM applications WHERE facts <> '[]' AND facts_let_go_at IS NULL"
        return int(tx.execute(text(query)).scalar_one())


def spent(world: World, programme: str = "") -> str:
    """Somebody's case, closed and paid; returns the programme."""
    programme = programme or world.programme(fund=10_000_000, **NO_EVIDENCE)
    world.accepted(*world.voucher(programme))
    run(world, *CLOSED)
    return programme


def test_five_years_after_the_year_of_its_last_payment_a_case_is_let_go_of(world: World) -> None:
    _, confirmed = everything_written(world)
    make_older(world, 5)
    assert (kept(world), words(world)) == (1, 4)  # until the end of this year
    assert not replayed(world, confirmed).HasField("facts_let_go_time")
    make_older(world, 1)
    assert (kept(world), words(world)) == (0, 0)
    read = world.auditor.applications.GetApplication(
        application_pb2.GetApplicationRequest(name=confirmed.name)
    )
    assert (read.state, list(read.reason_codes)) == (confirmed.state, list(confirmed.reason_codes))
    assert read.fact_hash == ""
    assert [each.outcome for each in read.clauses] == [each.outcome for each in confirmed.clauses]
    assert any(each.facts for each in confirmed.clauses)
    assert not any(each.facts or each.missing for each in read.clauses)
    assert world.verify().intact


def test_a_replay_says_that_facts_were_let_go_of_and_still_finds_what_was_changed(world: World) -> None:
    _, confirmed = everything_written(world)
    make_older(world, 6)
    assert kept(world) == 0
    assert replayed(world, confirmed).HasField("facts_let_go_time")
    assert differing(world, confirmed) == {}
    every = world.auditor.applications.ReplayApplications(application_pb2.ReplayApplicationsRequest())
    assert (every.replayed_count, every.let_go_count, list(every.disagreements)) == (1, 1, [])
    with transaction(world.app) as tx:
        programme = confirmed.programme_version.split("/")[1]
        assert simulations.count_decided(tx, programme) == 0
    run(world, """UPDATE applications SET history = history || '{"grants": 7}'""")
    assert list(differing(world, confirmed)) == ["pins.history"]
    run(world, "UPDATE applications SET facts_let_go_at = NULL")  # control: without the record
    assert not replayed(world, confirmed).agrees


@pytest.mark.parametrize(
    "still",
    [
        "UPDATE applications SET state = 1",
        "UPDATE applications SET state = 5",
        "UPDATE vouchers SET state = 2",
        "UPDATE redemptions SET state = 5",
        OPEN["a place on a waiting list"][0],
        OPEN["an alert about a payment"][0],
        "UPDATE redemptions SET updated_at = now()",
        "UPDATE vouchers SET state = 6, expires_at = now()",
        "UPDATE applications SET appeal_until = now()",
        PAID_NOW,
    ],
)
def test_an_open_case_and_one_paid_of_late_is_kept(world: World, still: str) -> None:
    spent(world)
    make_older(world, 9)
    run(world, still)
    assert kept(world) == 1


def test_control_one_that_is_closed_goes(world: World) -> None:
    spent(world)
    make_older(world, 9)
    assert kept(world) == 0


def test_a_source_may_ask_for_longer_and_never_for_less(world: World) -> None:
    programme = spent(world)
    spent(world)  # of another one, which goes
    (budget,) = world.maker.programmes.ListBudgets(programme_pb2.ListBudgetsRequest(parent=programme)).budgets
    extend = world.maker.sources.ExtendRetention

    def asked(years: int) -> Any:
        return funding_source_pb2.ExtendRetentionRequest(
            name=budget.pots[0].funding_source, retention_years=years
        )

    assert extend(asked(10)).retention_years == 10
    assert violations_of(lambda: extend(asked(10))) == {
        "retention_years": "must be more than 10, as it is now"
    }
    assert refused(lambda: extend(asked(7))) == "INVALID_ARGUMENT"
    make_older(world, 6)
    assert kept(world) == 1
    with transaction(world.app) as tx:
        left = tx.execute(text("SELECT programme_id FROM applications WHERE facts_let_go_at IS NULL"))
        assert left.scalars().all() == [programme.removeprefix("programmes/")]
    make_older(world, 5)
    assert kept(world) == 0


@pytest.mark.parametrize(("years", "left"), [(10, 1), (0, 0)], ids=["ten years", "control"])
def test_of_the_sources_of_a_programme_the_longest_counts(world: World, years: int, left: int) -> None:
    """One that bears a part of each payment, beside the pot."""
    source = funding_source_pb2.FundingSource(
        kind=funding_source_pb2.FundingSource.KIND_OWN, display_names={"en": "Own"}, retention_years=years
    )
    wanted = funding_source_pb2.CreateFundingSourceRequest(funding_source=source, funding_source_id="own")
    made = world.maker.sources.CreateFundingSource(wanted)
    assert made.retention_years == (years or 5)
    borne = [{"fundingSource": made.name, "basisPoints": 10_000}]
    spent(world, world.programme(fund=1_000_000, **NO_EVIDENCE, coFunding=borne))
    make_older(world, 6)
    assert kept(world) == left


@pytest.mark.parametrize("eu", [True, False], ids=["EU fund", "control"])
def test_money_of_an_eu_fund_is_accounted_for_by_programme(world: World, eu: bool) -> None:
    """Another case of the programme was paid this year."""
    programme = spent(world)
    make_older(world, 9)
    spent(world, programme)
    run(world, PAID_NOW, *([EU_FUND] if eu else []))
    assert kept(world) == (2 if eu else 1)


@pytest.mark.parametrize("counted", [True, False], ids=["guard", "control"])
def test_what_cases_counted_for_stays(world: World, monkeypatch: pytest.MonkeyPatch, counted: bool) -> None:
    if not counted:
        monkeypatch.setattr(reports, "keep_counts", lambda tx, applications: None)
    plan = world.programme(fund=10_000_000, **NO_EVIDENCE)
    year = world.today.year
    person = world.learner(birth_year=year - 20, education_level=4, has_disability=True, gender="female")
    world.apply(person, plan)
    world.apply(world.learner(birth_year=year - 60, education_level=6), plan)
    run(world, "UPDATE vouchers SET state = 4")
    make_older(world, 6)
    world.apply(world.learner(education_level=2), plan)  # this year

    monkeypatch.setattr(esf, "SMALLEST", 1)  # to see what is counted of one

    def indicators() -> dict[str, tuple[int, int, int]]:
        since = day_message(world.today.replace(year=year - 6, day=1))
        asked = report_pb2.GetEsfIndicatorsRequest(start_date=since, end_date=day_message(world.today))
        answer = world.payer.reports.GetEsfIndicators(asked)
        return {each.code: (each.participants, each.unknown, each.female) for each in answer.indicators}

    before = indicators()
    assert (before["EECO01"], before["EECO12"], before["EECO08"]) == ((3, 0, 1), (1, 2, 1), (1, 1, 0))
    assert kept(world) == 1
    assert (indicators() == before) is counted
    assert kept(world) == 1  # and nothing is counted twice
    assert (indicators() == before) is counted
