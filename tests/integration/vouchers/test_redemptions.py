"""Redemptions: what is refused, who may do what, and that 32 callers cannot spend one voucher twice."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import redemption_pb2 as pb
from waymark.vouchers.v1 import redemption_pb2_grpc, voucher_pb2

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.api import redemptions as api
from services.vouchers.store import attempts, redemptions
from tests.integration.vouchers.refusals import at_once, refused, tried
from tests.integration.vouchers.unlocked import unlock_reservations
from tests.support.canary import everything
from tests.support.meetings import Meeting
from tests.support.servers import token
from tests.support.vouchers import NO_EVIDENCE, World, cents, eur, request_id

State = pb.Redemption


def spend_at_once(world: World, callers: int = 32) -> tuple[Counter[str], str]:
    """Lets many callers reserve half of one voucher each; returns what came of it, and the voucher."""
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    request = pb.ReserveRedemptionRequest(voucher=voucher, session=world.session, amount=eur(50_000))
    return at_once(lambda: learner.redemptions.ReserveRedemption(request, timeout=30), callers), voucher


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Widens the gap between reading a voucher and writing it, so that a missing lock would show."""
    read = redemptions.lock_for_reservation

    def slowly(*arguments: Any) -> Any:
        row = read(*arguments)
        time.sleep(0.05)
        return row

    monkeypatch.setattr(redemptions, "lock_for_reservation", slowly)


def test_a_provider_that_is_an_employer_too_does_not_see_the_voucher(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    name = world.reserve(learner, voucher).name
    both = world.person("provider", "employer", org=world.organisation)
    read = pb.GetRedemptionRequest(name=name)
    assert both.redemptions.GetRedemption(read).voucher == ""
    assert learner.redemptions.GetRedemption(read).voucher == voucher


@pytest.mark.usefixtures("wide")
def test_32_callers_spend_one_voucher_once(world: World) -> None:
    came, voucher = spend_at_once(world)
    assert came[""] == 2
    assert set(came) <= {"", "VOUCHER_SPENT", "OVERLOADED", "LOCKED", "UNAVAILABLE"}
    with transaction(world.app) as tx:
        row = tx.execute(text("SELECT available_cents, reserved_cents FROM vouchers")).one()
    assert tuple(row) == (0, 100_000), voucher
    assert world.verify().intact


def test_control_without_the_lock_one_voucher_is_overspent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock_reservations(monkeypatch)
    write, meet = redemptions.reserve, Meeting(3)

    def late(*arguments: Any) -> None:
        meet()  # between reading and writing
        write(*arguments)

    monkeypatch.setattr(redemptions, "reserve", late)
    came, _ = spend_at_once(world)
    assert came[""] > 2, "the race did not show; the test above proves nothing"


def test_refusals_of_a_reservation(world: World) -> None:
    programme = world.programme(**NO_EVIDENCE)
    learner, voucher = world.voucher(programme)
    stranger = world.learner()
    assert refused(lambda: world.reserve(stranger, voucher)) == "NOT_FOUND"
    assert (
        refused(lambda: world.reserve(learner, voucher, session="courses/x/sessions/y")) == "SESSION_UNKNOWN"
    )
    assert refused(lambda: world.reserve(learner, voucher, amount=100_001)) == "AMOUNT_TOO_HIGH"
    other = world.offer("courses/baking")
    assert refused(lambda: world.reserve(learner, voucher, session=other)) == "VOUCHER_NOT_FOR_SESSION"
    world.offer(price=None)
    assert refused(lambda: world.reserve(learner, voucher)) == "SESSION_PRICE_UNKNOWN"
    world.offer()
    world.accredit(accredited=False)
    assert refused(lambda: world.reserve(learner, voucher)) == "PROVIDER_NOT_ACCREDITED"
    world.accredit(until=world.today.replace(year=world.today.year - 1, day=1))
    assert refused(lambda: world.reserve(learner, voucher)) == "PROVIDER_NOT_ACCREDITED"
    world.accredit()
    world.offer(apply_until=world.today - timedelta(days=1))
    assert refused(lambda: world.reserve(learner, voucher)) == "SESSION_UNKNOWN"
    world.offer()
    welding = {"isced_f_codes": ["07"], "eqf_levels": [4], "nuts_codes": ["BE2"]}
    world.accredit(scopes=[welding, {"eqf_levels": [5]}])
    assert refused(lambda: world.reserve(learner, voucher)) == "PROVIDER_NOT_ACCREDITED"
    world.offer(isced_f_codes=["0715"], apply_until=world.today)  # the last day
    world.accredit(scopes=[welding], until=world.today - timedelta(days=1))
    assert refused(lambda: world.reserve(learner, voucher)) == "PROVIDER_NOT_ACCREDITED"
    world.accredit(scopes=[{"eqf_levels": [5]}, welding])
    reserved = world.reserve(learner, voucher)
    assert refused(lambda: world.reserve(learner, voucher)) == "VOUCHER_SPENT"
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=reserved.name))
    world.accredit(scopes=[{"eqf_levels": [5]}])
    start = pb.StartRedemptionRequest(name=reserved.name)
    assert refused(lambda: world.provider.redemptions.StartRedemption(start)) == "PROVIDER_NOT_ACCREDITED"
    world.accredit(scopes=[welding])
    world.provider.redemptions.StartRedemption(start)


def test_a_negative_and_a_foreign_amount_are_refused(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    request = pb.ReserveRedemptionRequest(voucher=voucher, session=world.session, amount=eur(100))
    request.amount.units = -1
    assert refused(lambda: learner.redemptions.ReserveRedemption(request)) == "INVALID_ARGUMENT"
    request.amount.units, request.amount.currency_code = 1, "SEK"
    assert refused(lambda: learner.redemptions.ReserveRedemption(request)) == "CURRENCY_MISMATCH"


def test_a_provider_reserves_with_the_code_and_only_with_it(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    issued = learner.vouchers.IssueVoucherCode(voucher_pb2.IssueVoucherCodeRequest(name=voucher))
    code = issued.code.lower().replace("-", " ")
    request = pb.ReserveRedemptionRequest(code=code, session=world.session)
    reserved = world.provider.redemptions.ReserveRedemption(request)
    assert reserved.voucher == ""
    assert reserved.state == State.STATE_RESERVED
    by_name = pb.ReserveRedemptionRequest(voucher=voucher, session=world.session)
    assert refused(lambda: world.provider.redemptions.ReserveRedemption(by_name)) == "NOT_FOUND"
    other = world.person("provider", org="organisations/other")
    assert refused(lambda: other.redemptions.ReserveRedemption(request)) == "NOT_FOUND"


def test_wrong_codes_use_up_a_budget(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    first = learner.vouchers.IssueVoucherCode(voucher_pb2.IssueVoucherCodeRequest(name=voucher)).code
    second = learner.vouchers.IssueVoucherCode(voucher_pb2.IssueVoucherCodeRequest(name=voucher)).code
    reserve = world.provider.redemptions.ReserveRedemption
    old = pb.ReserveRedemptionRequest(code=first, session=world.session)
    reasons = [refused(lambda: reserve(old)) for _ in range(10)]
    assert set(reasons) == {"VOUCHER_CODE_INVALID"}
    right = pb.ReserveRedemptionRequest(code=second, session=world.session)
    assert refused(lambda: reserve(right)) == "TOO_MANY_ATTEMPTS"


def test_wrong_codes_from_one_address_use_up_a_budget_of_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ADDRESS_BUDGET", 3)
    wrong = pb.ReserveRedemptionRequest(code="0000-0000-0000-0000", session=world.session)

    def from_address(address: str) -> str:
        """One who calls for the first time."""
        caller = token("provider", subject=request_id(), org=world.organisation)
        sent = {"x-envoy-external-address": address}
        stub = world.served.stub(redemption_pb2_grpc.RedemptionServiceStub, caller, **sent)
        return refused(lambda: stub.ReserveRedemption(wrong))

    network = ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"]
    assert [from_address(each) for each in network] == ["VOUCHER_CODE_INVALID"] * 3
    assert from_address("2001:db8::3") == "TOO_MANY_ATTEMPTS"
    for other in ("2001:db8:0:1::1", "198.51.100.1", "::ffff:198.51.100.2", "unknown"):
        assert from_address(other) == "VOUCHER_CODE_INVALID"
    assert "2001:db8" not in everything(world.app.engine)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE code_attempts SET window_start = now() - interval '61 minutes'"))
    jobs.forget_attempts(world.app)
    with transaction(world.app) as tx:
        assert tx.execute(text("SELECT count(*) FROM code_attempts")).scalar_one() == 0
    monkeypatch.setattr(attempts, "ADDRESS_BUDGET", 10**6)  # control
    assert {from_address(network[0]) for _ in range(4)} == {"VOUCHER_CODE_INVALID"}


def test_a_code_is_shown_once(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    request = voucher_pb2.IssueVoucherCodeRequest(name=voucher, request_id=request_id())
    code = learner.vouchers.IssueVoucherCode(request).code
    assert refused(lambda: learner.vouchers.IssueVoucherCode(request)) == "ALREADY_ANSWERED"
    with transaction(world.app) as tx:
        kept = str(tx.execute(text("SELECT v.*, r.answer FROM vouchers v, request_ids r")).all())
    assert code not in kept
    assert code.replace("-", "") not in kept


def test_steps_in_the_wrong_order_are_refused(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    redemption = world.reserve(learner, voucher)
    start = pb.StartRedemptionRequest(name=redemption.name)
    accept = pb.AcceptRedemptionRequest(name=redemption.name)
    assert refused(lambda: world.provider.redemptions.StartRedemption(start)) == "WRONG_STATE"
    assert refused(lambda: world.caseworker.redemptions.AcceptRedemption(accept)) == "WRONG_STATE"
    authorise = pb.AuthoriseRedemptionRequest(name=redemption.name)
    stranger = world.learner()
    assert refused(lambda: stranger.redemptions.AuthoriseRedemption(authorise)) == "NOT_FOUND"
    learner.redemptions.AuthoriseRedemption(authorise)
    assert refused(lambda: learner.redemptions.AuthoriseRedemption(authorise)) == "WRONG_STATE"


def test_a_session_must_begin_when_the_programme_pays_for_it(world: World) -> None:
    windows = {"applyUntilDaysAfterStart": 14, "validityDays": 30}
    programme = world.programme(**NO_EVIDENCE, windowRule=windows, scope="SCOPE_PROGRAMME")
    learner, voucher = world.voucher(programme)

    def begins(days: int, course: str = "") -> str:
        session = world.offer(course, start=world.today + timedelta(days=days))
        why = tried(lambda: world.reserve(learner, voucher, session=session))
        for each in learner.redemptions.ListRedemptions(
            pb.ListRedemptionsRequest(learner=learner.learner)
        ).redemptions:
            if each.state == State.STATE_RESERVED:
                learner.redemptions.VoidRedemption(pb.VoidRedemptionRequest(name=each.name))
        return why

    assert [begins(days) for days in (-400, -15, 31, 4_000)] == ["SESSION_OUTSIDE_WINDOW"] * 4
    assert [begins(days) for days in (-14, 30)] == ["", ""]
    with transaction(world.app) as tx:  # the decision took a week: what was applied for was in time
        tx.execute(text("UPDATE applications SET applied_on = applied_on - 7"))
    assert (begins(-21), begins(-22)) == ("", "SESSION_OUTSIDE_WINDOW")
    assert begins(-15, "courses/other") == "SESSION_OUTSIDE_WINDOW"  # one that is chosen now
    assert begins(-14, "courses/other") == ""


def test_no_training_starts_before_its_first_day(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.offer(start=world.today + timedelta(days=2))
    redemption = world.reserve(learner, voucher)
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=redemption.name))
    start = pb.StartRedemptionRequest(name=redemption.name)
    assert refused(lambda: world.provider.redemptions.StartRedemption(start)) == "SESSION_NOT_STARTED"
    world.offer(start=world.today)
    assert world.provider.redemptions.StartRedemption(start).state == pb.Redemption.STATE_STARTED


def test_accepting_more_than_reserved_is_refused(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    redemption = world.delivered(learner, voucher, amount=10_000)
    accept = pb.AcceptRedemptionRequest(name=redemption.name, amount=eur(10_001))
    assert refused(lambda: world.caseworker.redemptions.AcceptRedemption(accept)) == "AMOUNT_TOO_HIGH"


def test_evidence_is_asked_for(world: World) -> None:
    learner, voucher = world.voucher(world.programme())
    redemption = world.reserve(learner, voucher)
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=redemption.name))
    world.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(name=redemption.name))
    deliver = pb.DeliverRedemptionRequest(name=redemption.name)
    assert refused(lambda: world.provider.redemptions.DeliverRedemption(deliver)) == "EVIDENCE_MISSING"


def test_void_and_reject_return_the_amount(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    redemption = world.reserve(learner, voucher)
    voided = learner.redemptions.VoidRedemption(pb.VoidRedemptionRequest(name=redemption.name))
    assert voided.state == State.STATE_VOIDED
    assert cents(world.wallet(learner, voucher).available) == 100_000
    delivered = world.delivered(learner, voucher)
    reject = pb.RejectRedemptionRequest(name=delivered.name, reason_code=State.END_REASON_NOT_ATTENDED)
    assert world.caseworker.redemptions.RejectRedemption(reject).state == State.STATE_REJECTED
    assert cents(world.wallet(learner, voucher).available) == 100_000
    assert world.verify().intact


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_a_learner_does_not_end_alone_what_has_started(
    world: World, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Else somebody could attend to the last day, or miss it, and leave the provider with nothing."""
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    started = world.reserve(learner, voucher).name
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=started))
    world.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(name=started))
    if not guarded:
        monkeypatch.setattr(api, "learner_of", lambda _: "")
    void = pb.VoidRedemptionRequest(name=started)
    own = world.person("caseworker", subject=learner.subject)
    for who in (learner, own) if guarded else ():
        assert refused(lambda who=who: who.redemptions.VoidRedemption(void)) == "WRONG_STATE"  # type: ignore[misc]
    ending = world.provider if guarded else learner
    assert ending.redemptions.VoidRedemption(void).state == State.STATE_VOIDED
    assert cents(world.wallet(learner, voucher).available) == 100_000


def age(world: World, column: str, table: str) -> None:
    """Lets a time limit lie in the past."""
    with transaction(world.app) as tx:
        tx.execute(text(f"UPDATE {table} SET {column} = now() - interval '1 second'"))


def test_a_reservation_times_out_by_the_database_clock(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    redemption = world.reserve(learner, voucher)
    age(world, "authorise_until", "redemptions")
    authorise = pb.AuthoriseRedemptionRequest(name=redemption.name)
    assert refused(lambda: learner.redemptions.AuthoriseRedemption(authorise)) == "RESERVATION_EXPIRED"
    jobs.expire_reservations(world.app)
    jobs.expire_reservations(world.app)
    found = learner.redemptions.GetRedemption(pb.GetRedemptionRequest(name=redemption.name))
    assert found.state == State.STATE_EXPIRED
    assert cents(world.wallet(learner, voucher).available) == 100_000
    assert world.verify().intact


def test_an_expired_voucher_returns_its_money_now_and_later(world: World) -> None:
    programme = world.programme(fund=300_000, **NO_EVIDENCE)
    learner, voucher = world.voucher(programme)
    redemption = world.reserve(learner, voucher, amount=40_000)
    age(world, "expires_at", "vouchers")
    assert refused(lambda: world.reserve(learner, voucher, amount=1)) == "VOUCHER_EXPIRED"
    jobs.expire_vouchers(world.app)
    wallet = world.wallet(learner, voucher)
    assert wallet.state == voucher_pb2.Voucher.STATE_EXPIRED
    assert (cents(wallet.available), cents(wallet.reserved)) == (0, 40_000)
    assert world.balances()[2] == 260_000
    learner.redemptions.VoidRedemption(pb.VoidRedemptionRequest(name=redemption.name))
    jobs.expire_vouchers(world.app)
    assert world.balances()[2] == 300_000
    assert world.verify().intact


def test_lists_show_only_ones_own(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    name = world.reserve(learner, voucher).name
    mine = pb.ListRedemptionsRequest(learner=learner.learner)
    assert [r.name for r in learner.redemptions.ListRedemptions(mine).redemptions] == [name]
    for request in (pb.ListRedemptionsRequest(), pb.ListRedemptionsRequest(organisation=world.organisation)):
        assert refused(lambda request=request: learner.redemptions.ListRedemptions(request)) == "NOT_FOUND"
    own = pb.ListRedemptionsRequest(organisation=world.organisation)
    (found,) = world.provider.redemptions.ListRedemptions(own).redemptions
    assert (found.name, found.voucher) == (name, "")
    foreign: Any = pb.ListRedemptionsRequest(organisation="organisations/other")
    assert refused(lambda: world.provider.redemptions.ListRedemptions(foreign)) == "NOT_FOUND"
