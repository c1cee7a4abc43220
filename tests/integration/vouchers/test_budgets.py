"""The money of programmes: budgets by period, pots with a ring fence, never more than there is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from sqlalchemy import text
from waymark.vouchers.v1 import application_pb2, fund_return_pb2
from waymark.vouchers.v1 import programme_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import granting
from services.vouchers.store import budgets
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.canary import CANARY, everything
from tests.support.databases import WAITING, sessions
from tests.support.meetings import Meeting
from tests.support.vouchers import NO_EVIDENCE, World, cents, day_message, eur, sample
from tests.support.waiting import eventually

DUTCH = "dutch-temporary-training-voucher"


def fund_request(world: World, programme: str, source: str) -> pb.FundProgrammeRequest:
    """Returns a request for this year's budget."""
    return pb.FundProgrammeRequest(
        name=programme,
        funding_source=source,
        start_date=day_message(world.today.replace(month=1, day=1)),
        end_date=day_message(world.today.replace(month=12, day=31)),
        amount=eur(1000),
    )


def test_money_put_in_by_mistake_goes_back_by_two_people(world: World) -> None:
    programme = world.programme(fund=0, **NO_EVIDENCE)
    budget = world.fund(programme, 250_000)
    world.voucher(programme)  # of 1 000 euro

    def propose(amount: int) -> Any:
        wanted = fund_return_pb2.FundReturn(amount=eur(amount), reason=f"{CANARY} a nought too many")
        request = fund_return_pb2.ProposeFundReturnRequest(parent=budget.name, fund_return=wanted)
        return world.maker.fund_returns.ProposeFundReturn(request)

    assert refused(lambda: propose(150_001)) == "AMOUNT_TOO_HIGH"
    first = propose(150_000)
    approve = fund_return_pb2.ApproveFundReturnRequest(name=first.name)
    decline = fund_return_pb2.DeclineFundReturnRequest(name=propose(1).name)
    assert refused(lambda: world.maker.fund_returns.ApproveFundReturn(approve)) == "SAME_PERSON"
    world.voucher(programme)  # meanwhile it is granted
    assert refused(lambda: world.checker.fund_returns.ApproveFundReturn(approve)) == "AMOUNT_TOO_HIGH"
    approve.name = propose(50_000).name
    done = world.checker.fund_returns.ApproveFundReturn(approve)
    assert done.state == fund_return_pb2.FundReturn.STATE_RETURNED
    assert refused(lambda: world.checker.fund_returns.ApproveFundReturn(approve)) == "WRONG_STATE"
    assert world.maker.fund_returns.DeclineFundReturn(decline).state == done.STATE_DECLINED
    assert refused(lambda: world.checker.fund_returns.DeclineFundReturn(decline)) == "WRONG_STATE"
    listed = world.auditor.fund_returns.ListFundReturns(
        fund_return_pb2.ListFundReturnsRequest(parent=budget.name)
    )
    assert [each.state for each in listed.fund_returns] == [2, 3, 1]
    (pot,) = world.auditor.programmes.GetBudget(pb.GetBudgetRequest(name=budget.name)).pots
    assert (cents(pot.funded), cents(pot.available)) == (200_000, 0)
    assert world.balances()[1] == -200_000  # of the funding source
    assert world.verify().intact
    assert CANARY not in everything(world.app.engine)


def test_a_budget_emptied_so_takes_another_source_and_period(world: World) -> None:
    programme = world.programme(fund=0)
    budget = world.fund(programme, 5000)
    other = world.fund(world.programme(fund=0), 1).pots[0].funding_source
    wanted = fund_return_pb2.FundReturn(amount=eur(5000), reason="the wrong source")
    proposed = world.maker.fund_returns.ProposeFundReturn(
        fund_return_pb2.ProposeFundReturnRequest(parent=budget.name, fund_return=wanted)
    )
    request = fund_request(world, programme, other)
    request.start_date.month = 2
    assert refused(lambda: world.maker.programmes.FundProgramme(request)) == "BUDGET_PERIOD_OVERLAP"
    approve = fund_return_pb2.ApproveFundReturnRequest(name=proposed.name)
    world.checker.fund_returns.ApproveFundReturn(approve)
    anew = world.maker.programmes.FundProgramme(request)
    assert (anew.name, anew.start_date.month) == (budget.name, 2)
    assert [(pot.funding_source, cents(pot.available)) for pot in anew.pots] == [(other, 1000)]
    assert world.verify().intact


def test_budgets_neither_overlap_nor_change_their_source(world: World) -> None:
    programme = world.programme(fund=0)
    budget = world.fund(programme, 5000, pot="esf")
    request = fund_request(world, programme, budget.pots[0].funding_source)
    request.start_date.month = 2
    assert refused(lambda: world.maker.programmes.FundProgramme(request)) == "BUDGET_PERIOD_OVERLAP"
    request.start_date.month = 1
    request.pot, request.target_groups[:] = "esf", ["jobseekers"]
    assert refused(lambda: world.maker.programmes.FundProgramme(request)) == "POT_CONFLICT"
    request.target_groups[:] = []
    again = world.maker.programmes.FundProgramme(request)
    assert [cents(pot.available) for pot in again.pots] == [6000]
    read = world.auditor.programmes.GetBudget(pb.GetBudgetRequest(name=again.name))
    assert read == again
    listed = world.auditor.programmes.ListBudgets(pb.ListBudgetsRequest(parent=programme))
    assert list(listed.budgets) == [again]
    request.end_date.year -= 1
    assert "end_date" in violations_of(lambda: world.maker.programmes.FundProgramme(request))


def test_a_ring_fenced_pot_is_for_its_group_and_goes_first(world: World) -> None:
    groups = sample(DUTCH)["version"]["targetGroups"]
    others = {"code": "graduates", "expression": "learner.education_level > 7", "coverPercent": 100}
    programme = world.programme(fund=0, **NO_EVIDENCE, targetGroups=[others, *groups])
    world.fund(programme, 100_000, pot="fenced", groups=("jobseekers",))
    world.fund(programme, 100_000, pot="others", groups=("graduates",))
    world.fund(programme, 100_000, pot="general")
    assert [world.apply(world.learner(), programme).state for _ in range(2)] == [2, 2]
    third = world.apply(world.learner(), programme)
    assert list(third.reason_codes) == ["BUDGET_EXHAUSTED"]
    listed = world.auditor.programmes.ListBudgets(pb.ListBudgetsRequest(parent=programme))
    left = {pot.code: cents(pot.available) for pot in listed.budgets[0].pots}
    assert left == {"fenced": 0, "others": 100_000, "general": 0}


def test_a_pot_is_for_groups_that_some_version_has(world: World) -> None:
    programme = world.programme(fund=0)
    wrong = violations_of(lambda: world.fund(programme, 1_000, pot="fenced", groups=("jobseekers", "youht")))
    assert list(wrong) == ["target_groups[1]"]
    bare = world.maker.programmes.CreateProgramme(
        pb.CreateProgrammeRequest(programme=ParseDict(sample(DUTCH)["programme"], pb.Programme()))
    )
    assert world.fund(bare.name, 1_000, pot="early", groups=("any",)).pots  # its rules may come later


@pytest.mark.parametrize(("in_turn", "waits_for"), [(True, "advisory"), (False, "transactionid")])
def test_who_asks_for_money_waits_in_a_queue_not_for_the_row(
    world: World, in_turn: bool, waits_for: str
) -> None:
    """Whoever waits for a row is passed by who comes when it is free; the control waits like that."""
    place = (world.programme().removeprefix("programmes/"), "", datetime.now(UTC).date(), 100)

    def take() -> None:
        with transaction(world.app) as tx:
            budgets.take(tx, *place, in_turn=in_turn)

    with ThreadPoolExecutor(1) as pool:
        with transaction(world.app) as first:
            budgets.take(first, *place, in_turn=in_turn)
            second = pool.submit(take)
            eventually(lambda: sessions(world.app.engine, f"{WAITING} AND wait_event = '{waits_for}'"))
        second.result()


def apply_at_once(world: World, callers: int = 12) -> list[int]:
    """Lets many learners apply for money that suffices for three; returns the states."""
    programme = world.programme(fund=300_000, **NO_EVIDENCE)
    learners = [world.learner() for _ in range(callers)]

    def one(learner: Any) -> int:
        try:
            return int(world.apply(learner, programme).state)
        except grpc.RpcError:
            return 0

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(one, learners))


def test_a_pot_is_never_overspent(world: World) -> None:
    states = apply_at_once(world)
    assert states.count(application_pb2.Application.STATE_GRANTED) == 3
    assert world.balances().get(2, 0) == 0
    assert world.verify().intact


def test_control_without_lock_and_check_a_pot_is_overspent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet = Meeting(4)

    def unlocked(tx: Any, *place: Any, in_turn: bool) -> Any:
        def together(*calls: Any) -> Any:
            answer = tx.together(*calls)
            meet()  # between reading and writing
            return answer

        return budgets.take(SimpleNamespace(together=together, at_commit=tx.at_commit), *place, locked=False)

    monkeypatch.setattr(granting, "budgets", type("Unlocked", (), {"take": staticmethod(unlocked)}))
    with transaction(world.app) as tx:
        tx.execute(text("ALTER TABLE pots DROP CONSTRAINT pots_not_negative"))
    states = apply_at_once(world)
    assert states.count(application_pb2.Application.STATE_GRANTED) > 3, "the race did not show"
    assert {finding.kind for finding in world.verify().findings} <= {"NEGATIVE", "BALANCE"}
    assert not world.verify().intact
