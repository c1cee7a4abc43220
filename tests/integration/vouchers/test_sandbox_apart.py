"""Sandbox and real money do not meet: each guard, and what happens without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text, true
from waymark.vouchers.v1 import (
    allocation_pb2,
    application_pb2,
    eligibility_pb2,
    payout_batch_pb2,
    programme_pb2,
    receivable_pb2,
    redemption_pb2,
    report_pb2,
)
from waymark.vouchers.v1 import sandbox_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import assessment
from services.vouchers.api import budgets, payout_batches, redemptions, reports, reservation, sandbox
from services.vouchers.api import receivables as receivables_api
from services.vouchers.store import payouts, programmes
from services.vouchers.store import receivables as receivables_store
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_allocations import created
from tests.integration.vouchers.test_bank_results import approved
from tests.support import instruments
from tests.support.instruments import Source, active_bond, levy, obligation, source
from tests.support.sandbox import (
    XTS,
    accepted,
    claw_back,
    delivered,
    funding,
    made,
    owed_back,
    paid,
    reserved,
    xts,
)
from tests.support.sandbox import sandbox as sandbox_programme
from tests.support.vouchers import NO_EVIDENCE, World, cents, eur

APART = "SANDBOX_APART"
State = redemption_pb2.Redemption


def unguarded(monkeypatch: pytest.MonkeyPatch, *modules: Any) -> None:
    """Takes the guard away where these modules ask it."""
    for module in modules:
        monkeypatch.setattr(module, "keep_apart", lambda *_, **__: None)


def fund(world: World, programme: str, kind: int, amount: Any) -> Any:
    """Funds a programme from a new source of a kind."""
    return world.maker.programmes.FundProgramme(funding(world, programme, source(world, kind), amount))


def test_sandbox_sources_fund_sandbox_programmes_and_others_the_others(world: World) -> None:
    test, real = sandbox_programme(world), world.programme()
    assert refused(lambda: fund(world, test, Source.KIND_STATE, xts(1))) == APART
    assert refused(lambda: fund(world, real, Source.KIND_SANDBOX, eur(1))) == APART
    assert refused(lambda: fund(world, test, Source.KIND_SANDBOX, eur(1))) == "CURRENCY_MISMATCH"
    assert refused(lambda: fund(world, real, Source.KIND_STATE, xts(1))) == "CURRENCY_MISMATCH"


def test_control_without_the_guard_the_sandbox_pays_for_people(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded(monkeypatch, budgets)
    assert fund(world, world.programme(fund=0), Source.KIND_SANDBOX, eur(100)).pots


def test_co_funding_names_sources_of_the_same_side(world: World) -> None:
    kinds = {"state": Source.KIND_STATE, "play": Source.KIND_SANDBOX}
    sources = {name: source(world, kind) for name, kind in kinds.items()}

    def bearing(name: str) -> dict[str, Any]:
        return {"coFunding": [{"fundingSource": sources[name], "basisPoints": 10_000}]}

    assert world.programme(fund=0, **bearing("state"))
    assert sandbox_programme(world, **bearing("play"))
    place = "version.co_funding[0].funding_source"
    found = violations_of(lambda: world.programme(fund=0, **bearing("play")))
    assert found == {place: f"{sources['play']} is for the sandbox only"}
    found = violations_of(lambda: sandbox_programme(world, **bearing("state")))
    assert found == {place: f"{sources['state']} is for real money only"}


@pytest.mark.parametrize("make", [levy, active_bond, obligation])
def test_nothing_else_is_paid_from_a_sandbox_source_or_in_its_currency(
    world: World, monkeypatch: pytest.MonkeyPatch, make: Callable[..., Any]
) -> None:
    def play(*_: Any, **__: Any) -> str:
        return source(world, Source.KIND_SANDBOX)

    assert make(world)
    assert any("currency_code" in field for field in violations_of(lambda: make(world, currency_code=XTS)))
    monkeypatch.setattr(instruments, "source", play)
    assert refused(lambda: make(world)) == APART
    monkeypatch.setattr(programmes, "SANDBOX_KIND", 99)
    assert make(world)  # the control: without the look at kinds it is


def test_nobody_applies_to_the_sandbox(stored: World) -> None:
    programme, learner = sandbox_programme(stored), stored.learner()
    application = application_pb2.Application(
        learner=learner.learner, programme=programme, session=stored.session
    )
    request = application_pb2.CreateApplicationRequest(application=application)
    assert refused(lambda: learner.applications.CreateApplication(request)) == APART
    assert refused(lambda: stored.caseworker.applications.CreateApplication(request)) == APART
    check = eligibility_pb2.CheckEligibilityRequest(
        learner=learner.learner, programme=programme, session=stored.session
    )
    assert refused(lambda: learner.eligibility.CheckEligibility(check)) == APART
    file = created(stored, programme, f"learner,price_cents\n{learner.learner},\n")
    run = allocation_pb2.RunAllocationRequest(name=file.name)
    assert refused(lambda: stored.system.allocations.RunAllocation(run)) == APART


def test_control_without_the_guard_a_person_is_granted_play_money(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme = sandbox_programme(world)
    unguarded(monkeypatch, assessment)
    assert world.apply(world.learner(), programme).voucher


def test_a_provider_makes_vouchers_of_sandbox_programmes_only(world: World) -> None:
    assert refused(lambda: made(world, world.programme())) == APART
    assert world.balances() == {1: -1_000_000, 2: 1_000_000}


def test_control_without_the_guard_a_provider_grants_itself_money(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = {"clauses": [], "shortageRule": None}
    unguarded(monkeypatch, assessment)
    assert made(world, world.programme(**everyone)).code
    assert world.balances()[3] == 100_000


PLAYED = {
    "AuthoriseSandboxRedemption": pb.AuthoriseSandboxRedemptionRequest,
    "AcceptSandboxRedemption": pb.AcceptSandboxRedemptionRequest,
    "RejectSandboxRedemption": pb.RejectSandboxRedemptionRequest,
    "PaySandboxRedemption": pb.PaySandboxRedemptionRequest,
    "ClawBackSandboxRedemption": pb.ClawBackSandboxRedemptionRequest,
}


def play(world: World, rpc: str, name: str) -> Any:
    """Calls one of the sandbox's steps as the school."""
    reason = {"reason_code": State.END_REASON_OTHER} if rpc.startswith(("Reject", "ClawBack")) else {}
    return getattr(world.provider.sandbox, rpc)(PLAYED[rpc](name=name, **reason))


def real(world: World, rpc: str) -> str:
    """Returns a real redemption of the school on which the step would be next."""
    person, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    befores = {"Auth": world.reserve, "PayS": world.accepted, "Claw": world.accepted}
    before = befores.get(rpc[:4], world.delivered)
    return str(before(person, voucher).name)


@pytest.mark.parametrize("rpc", PLAYED)
def test_a_provider_plays_nobody_on_real_money(world: World, rpc: str) -> None:
    assert refused(lambda: play(world, rpc, real(world, rpc))) == APART


@pytest.mark.parametrize("rpc", PLAYED)
def test_control_without_the_guard_a_provider_decides_for_others(
    world: World, monkeypatch: pytest.MonkeyPatch, rpc: str
) -> None:
    unguarded(monkeypatch, sandbox)
    if rpc == "PaySandboxRedemption":  # the database holds that a real batch is paid from an account
        assert refused(lambda: play(world, rpc, real(world, rpc))) == "INTERNAL"
    else:
        assert play(world, rpc, real(world, rpc)).name


def staff_steps(world: World, name: str) -> dict[str, Callable[[], Any]]:
    """The steps of staff on a redemption."""
    reason = {"name": name, "reason_code": State.END_REASON_OTHER}
    own = world.caseworker.redemptions
    return {
        "accept": lambda: own.AcceptRedemption(redemption_pb2.AcceptRedemptionRequest(name=name)),
        "reject": lambda: own.RejectRedemption(redemption_pb2.RejectRedemptionRequest(**reason)),
        "claw back": lambda: world.payer.redemptions.ClawBackRedemption(
            redemption_pb2.ClawBackRedemptionRequest(**reason)
        ),
    }


def test_staff_decide_nothing_about_the_sandbox(world: World) -> None:
    name = delivered(world, sandbox_programme(world)).name
    assert {step: refused(call) for step, call in staff_steps(world, name).items()} == dict.fromkeys(
        ("accept", "reject", "claw back"), APART
    )


def test_control_without_the_guard_staff_accept_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name = delivered(world, sandbox_programme(world)).name
    unguarded(monkeypatch, redemptions)
    assert staff_steps(world, name)["accept"]().state == State.STATE_ACCEPTED


def write_off(world: World) -> Any:
    """Proposes to give up what the school owes back in play money."""
    (owing,) = owed_back(world)
    request = receivable_pb2.ProposeWriteOffRequest(name=owing.name, reason="bankrupt")
    return world.payer.receivables.ProposeWriteOff(request)


@pytest.fixture
def owing(world: World) -> World:
    """A world in which the school owes 800 XTS back and is owed 1 000 euro."""
    world.bank_account()
    claw_back(world, paid(world, sandbox_programme(world)).name)
    world.accepted(*world.voucher(world.programme(**NO_EVIDENCE)))
    return world


def test_what_is_owed_back_in_play_concerns_no_staff_and_no_money(owing: World) -> None:
    assert [each.outstanding for each in owed_back(owing)] == [xts(80_000)]
    listed = owing.auditor.receivables.ListReceivables
    assert not listed(receivable_pb2.ListReceivablesRequest(show_settled=True)).receivables
    assert refused(lambda: write_off(owing)) == APART
    batch = approved(owing)
    assert (cents(batch.total), cents(batch.payouts[0].set_off)) == (100_000, 0)
    assert [each.outstanding for each in owed_back(owing)] == [xts(80_000)]
    assert owing.verify().intact


def test_control_without_the_guards_staff_see_it_and_give_it_up(
    owing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded(monkeypatch, receivables_api)
    monkeypatch.setattr(receivables_store, "apart", lambda *_, **__: true())
    listed = owing.auditor.receivables.ListReceivables
    assert len(listed(receivable_pb2.ListReceivablesRequest()).receivables) == 1
    assert write_off(owing).state == receivable_pb2.Receivable.STATE_WRITE_OFF_PROPOSED


def as_the_made_up_learner(world: World, programme: str) -> tuple[Any, str]:
    """Returns somebody who calls themselves like a made-up learner, and the voucher."""
    answer = made(world, programme)
    with transaction(world.app) as tx:
        (voucher,) = tx.execute(text("SELECT id FROM vouchers")).scalars()
    person = world.person("learner", subject=answer.learner.removeprefix("learners/"))
    return person, f"vouchers/{voucher}"


def test_not_even_somebody_named_like_the_made_up_learner_spends_it(world: World) -> None:
    person, voucher = as_the_made_up_learner(world, sandbox_programme(world))
    assert refused(lambda: world.reserve(person, voucher)) == APART
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE vouchers SET code_hmac = NULL"))
    name = reserved(world, made(world, sandbox_programme(world)).code)
    same = world.person("learner", subject=name.learner.removeprefix("learners/"))
    request = redemption_pb2.AuthoriseRedemptionRequest(name=name.name)
    assert refused(lambda: same.redemptions.AuthoriseRedemption(request)) == APART


def test_control_without_the_guards_they_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person, voucher = as_the_made_up_learner(world, sandbox_programme(world))
    unguarded(monkeypatch, reservation, redemptions)
    name = world.reserve(person, voucher).name
    request = redemption_pb2.AuthoriseRedemptionRequest(name=name)
    assert person.redemptions.AuthoriseRedemption(request).state == State.STATE_AUTHORISED


@pytest.fixture
def both(world: World) -> World:
    """A world in which a real redemption and three of the sandbox are accepted, one of them paid; the money
    of all has cleared."""
    world.bank_account()
    programme = sandbox_programme(world, holdRule={"delayDays": 0})
    accepted(world, programme), accepted(world, programme), paid(world, programme)
    world.play = programme
    world.plan = world.programme(**NO_EVIDENCE)
    world.redemption = world.accepted(*world.voucher(world.plan))
    return world


def test_a_bank_is_told_of_real_money_only(both: World) -> None:
    batch = approved(both)
    assert (cents(batch.total), batch.payouts[0].redemption_count) == (100_000, 1)
    content = both.payer.batches.GetBankFile(payout_batch_pb2.GetBankFileRequest(name=batch.name)).data
    assert content.count(b"<CdtTrfTxInf>") == 1
    assert b"XTS" not in content
    listed = both.payer.batches.ListPayoutBatches(payout_batch_pb2.ListPayoutBatchesRequest())
    assert [each.name for each in listed.payout_batches] == [batch.name]
    assert refused(lambda: both.batch(currency_code=XTS)) == APART
    file = payout_batch_pb2.GetBankFileRequest(name=batch_of(both))
    assert refused(lambda: both.payer.batches.GetBankFile(file)) == APART
    assert both.verify().intact


def batch_of(world: World) -> str:
    """Returns the name of the batch of the sandbox."""
    with transaction(world.app) as tx:
        found = tx.execute(text("SELECT id FROM payout_batches WHERE currency = 'XTS'")).scalar_one()
    return f"payoutBatches/{found}"


def test_control_whatever_the_currency_a_batch_would_take_the_sandbox_too(
    both: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def any_currency(tx: Any, currency: str, limit: int) -> Any:
        return [*before(tx, currency, limit), *before(tx, XTS, limit)]

    before = payouts.cleared
    monkeypatch.setattr(payouts, "cleared", any_currency)
    assert cents(both.batch().total) == 260_000


def test_control_without_the_guard_the_database_still_holds_that_no_bank_is_told(
    both: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded(monkeypatch, payout_batches)
    assert refused(lambda: both.batch(currency_code=XTS)) == "INTERNAL"
    file = payout_batch_pb2.GetBankFileRequest(name=batch_of(both))
    content = both.payer.batches.GetBankFile(file).data
    assert b"<IBAN></IBAN>" in content  # whom no bank would pay


def test_statistics_forecast_and_shares_do_not_know_it(both: World) -> None:
    month = report_pb2.GetMonthlyStatisticsRequest(month=f"{both.today:%Y-%m}")
    found = both.auditor.reports.GetMonthlyStatistics(month).programmes
    assert [each.programme for each in found] == [both.plan]
    budgets_of = programme_pb2.ListBudgetsRequest(parent=both.play)
    (budget,) = both.maker.programmes.ListBudgets(budgets_of).budgets
    forecast = report_pb2.GetBudgetForecastRequest(name=budget.name)
    assert refused(lambda: both.auditor.reports.GetBudgetForecast(forecast)) == APART
    with transaction(both.app) as tx:
        assert tx.execute(text("SELECT count(*) FROM payment_shares")).scalar_one() == 0
        assert tx.execute(text("SELECT count(*) FROM payment_totals")).scalar_one() == 0


def test_control_without_the_guard_the_sandbox_is_forecast(
    both: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded(monkeypatch, reports)
    budgets_of = programme_pb2.ListBudgetsRequest(parent=both.play)
    (budget,) = both.maker.programmes.ListBudgets(budgets_of).budgets
    forecast = report_pb2.GetBudgetForecastRequest(name=budget.name)
    assert both.auditor.reports.GetBudgetForecast(forecast).spent == xts(240_000)
