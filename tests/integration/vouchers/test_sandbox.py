"""A provider tests its whole path: without anybody's money, without staff, within a limit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2, programme_pb2, receivable_pb2, redemption_pb2, statement_pb2
from waymark.vouchers.v1 import sandbox_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.edge.contract import Contract
from services.vouchers import jobs
from services.vouchers import sandbox as making
from services.vouchers.store import sandbox as store
from tests.integration.vouchers import test_statement
from tests.integration.vouchers.refusals import at_once, refused, violations_of
from tests.integration.vouchers.test_evidence import put, ticket
from tests.support.quality import Sanction, sanction, told
from tests.support.sandbox import (
    XTS,
    accepted,
    ask,
    claw_back,
    delivered,
    made,
    owed_back,
    paid,
    reserved,
    sandbox,
    xts,
)
from tests.support.vouchers import World, cents, eur

State = redemption_pb2.Redemption
Kind = statement_pb2.StatementLine.Kind


def lines(world: World, currency: str) -> list[tuple[str, int]]:
    """Returns the lines of the school's statement of today."""
    found = test_statement.lines(world, currency_code=currency)
    return [(Kind.Name(line.kind).removeprefix("KIND_"), cents(line.amount)) for line in found]


def test_a_provider_alone_goes_from_a_code_to_a_returned_and_then_a_paid_batch(stored: World) -> None:
    asked = {"paymentRule": {"trigger": "TRIGGER_ATTENDANCE", "evidenceCount": 1}}
    made_up = made(stored, sandbox(stored, **asked))
    assert made_up.learner.startswith("learners/sandbox-")
    assert (cents(made_up.value), made_up.value.currency_code) == (80_000, XTS)
    redemption = reserved(stored, made_up.code)
    assert (redemption.sandbox, redemption.learner) == (True, made_up.learner)
    # The session costs 1000 euro; the sandbox takes that at par.
    assert redemption.price == xts(100_000)
    assert redemption.learner_share == xts(20_000)
    play, own = stored.provider.sandbox, stored.provider.redemptions
    name = {"name": redemption.name}
    authorised = play.AuthoriseSandboxRedemption(pb.AuthoriseSandboxRedemptionRequest(**name))
    assert authorised.state == State.STATE_AUTHORISED
    stored.offer(start=stored.today + timedelta(days=30))  # a day that nobody waits for who tests
    own.StartRedemption(redemption_pb2.StartRedemptionRequest(**name))
    piece = ticket(stored, redemption, kind=redemption_pb2.DeliveryEvidence.KIND_ATTENDANCE)
    assert put(piece) == 200
    own.DeliverRedemption(redemption_pb2.DeliverRedemptionRequest(**name, evidence=[piece.name]))
    took = play.AcceptSandboxRedemption(pb.AcceptSandboxRedemptionRequest(**name, amount=xts(70_000)))
    assert (took.state, took.accepted_amount) == (State.STATE_ACCEPTED, xts(70_000))
    back = play.PaySandboxRedemption(pb.PaySandboxRedemptionRequest(**name, return_code="AC04"))
    assert back.state == State.STATE_ACCEPTED
    done = play.PaySandboxRedemption(pb.PaySandboxRedemptionRequest(**name))
    assert done.state == State.STATE_PAID
    assert lines(stored, XTS) == [
        ("ACCEPTED", 70_000),
        ("RELEASED", 70_000),
        ("PAID", 70_000),
        ("RETURNED", 70_000),
        ("PAID", 70_000),
    ]
    assert lines(stored, "EUR") == []
    assert stored.verify().intact


def pay(world: World, name: str, return_code: str = "") -> Any:
    """Pays a redemption, or has the bank return it."""
    request = pb.PaySandboxRedemptionRequest(name=name, return_code=return_code)
    return world.provider.sandbox.PaySandboxRedemption(request)


def test_what_is_taken_back_before_payment_is_not_paid(world: World) -> None:
    took = accepted(world, sandbox(world))
    part = claw_back(world, took.name, 30_000)
    assert (part.state, part.end_reason) == (State.STATE_ACCEPTED, State.END_REASON_NOT_ATTENDED)
    assert part.clawed_back_amount == xts(30_000)
    assert (pay(world, took.name).state, owed_back(world)) == (State.STATE_PAID, [])
    assert lines(world, XTS) == [
        ("ACCEPTED", 80_000),
        ("CLAWED_BACK", 30_000),
        ("RELEASED", 50_000),
        ("PAID", 50_000),
    ]
    (event,) = told(world, events_pb2.RedemptionClawedBack)
    assert (event.ref.sandbox, event.ref.redemption, event.amount) == (True, took.name, xts(30_000))
    assert (event.whole, event.refund) == (False, False)
    with transaction(world.app) as tx:
        assert tx.execute(text("SELECT available_cents FROM vouchers")).scalar_one() == 30_000
    assert world.verify().intact


def test_what_was_paid_is_owed_back_and_set_off_against_the_next_payments(world: World) -> None:
    programme = sandbox(world)
    first = paid(world, programme)
    whole = claw_back(world, first.name)
    assert (whole.state, whole.clawed_back_amount) == (State.STATE_CLAWED_BACK, xts(80_000))
    (owing,) = owed_back(world)
    assert (owing.amount, owing.outstanding, owing.redemption) == (xts(80_000), xts(80_000), first.name)
    second = accepted(world, programme)
    claw_back(world, second.name, 30_000)
    assert pay(world, second.name, "AC04").state == State.STATE_PAID  # no bank has anything to return
    assert [each.outstanding for each in owed_back(world)] == [xts(30_000)]
    third = accepted(world, programme)
    assert pay(world, third.name, "AC04").state == State.STATE_ACCEPTED  # of what the bank had
    assert pay(world, third.name).state == State.STATE_PAID
    assert owed_back(world) == []
    (settled,) = owed_back(world, show_settled=True)
    assert (settled.state, settled.set_off) == (receivable_pb2.Receivable.STATE_SETTLED, xts(80_000))
    found = [line for line in lines(world, XTS) if line[0] not in ("ACCEPTED", "RELEASED")]
    assert found == [
        ("PAID", 80_000),
        ("CLAWED_BACK_AFTER_PAYMENT", 80_000),
        ("CLAWED_BACK", 30_000),
        ("SET_OFF", 50_000),
        ("PAID", 50_000),
        ("SET_OFF", 30_000),
        ("RETURNED", 50_000),
        ("PAID", 50_000),
    ]
    with transaction(world.app) as tx:
        batches = "SELECT state, total_cents FROM payout_batches ORDER BY id"
        found_batches = [tuple(row) for row in tx.execute(text(batches))]
    assert found_batches == [(5, 80_000), (5, 0), (6, 50_000), (5, 50_000)]
    assert world.verify().intact


def test_what_cannot_be_taken_back_is_refused_as_for_real(world: World) -> None:
    programme = sandbox(world)
    waiting = delivered(world, programme)
    assert refused(lambda: claw_back(world, waiting.name)) == "WRONG_STATE"
    took = accepted(world, programme)
    assert refused(lambda: claw_back(world, took.name, 80_001)) == "AMOUNT_TOO_HIGH"
    request = pb.ClawBackSandboxRedemptionRequest(name=took.name, reason_code=State.END_REASON_OTHER)
    request.amount.CopyFrom(eur(1))
    assert refused(lambda: world.provider.sandbox.ClawBackSandboxRedemption(request)) == "CURRENCY_MISMATCH"


def test_a_provider_gives_back_by_the_call_it_makes_for_real(world: World) -> None:
    took = paid(world, sandbox(world))
    reason = State.END_REASON_NOT_COMPLETED
    request = redemption_pb2.RefundRedemptionRequest(name=took.name, reason_code=reason, amount=xts(10_000))
    assert world.provider.redemptions.RefundRedemption(request).clawed_back_amount == xts(10_000)
    assert [each.outstanding for each in owed_back(world)] == [xts(10_000)]
    (event,) = told(world, events_pb2.RedemptionClawedBack)
    assert (event.ref.sandbox, event.refund) == (True, True)
    assert world.verify().intact


def test_a_delivery_is_rejected_and_its_amount_back_on_the_voucher(world: World) -> None:
    redemption = delivered(world, sandbox(world))
    reason = State.END_REASON_EVIDENCE_INSUFFICIENT
    request = pb.RejectSandboxRedemptionRequest(name=redemption.name, reason_code=reason)
    rejected = world.provider.sandbox.RejectSandboxRedemption(request)
    assert (rejected.state, rejected.end_reason) == (State.STATE_REJECTED, reason)
    assert refused(lambda: world.provider.sandbox.RejectSandboxRedemption(request)) == "WRONG_STATE"
    with transaction(world.app) as tx:
        assert tx.execute(text("SELECT available_cents FROM vouchers")).scalar_one() == 80_000


def test_what_the_release_job_did_before_is_paid_too(world: World) -> None:
    took = accepted(world, sandbox(world, holdRule={"delayDays": 0}))
    jobs.release_held(world.app)
    request = pb.PaySandboxRedemptionRequest(name=took.name)
    assert world.provider.sandbox.PaySandboxRedemption(request).state == State.STATE_PAID
    assert refused(lambda: world.provider.sandbox.PaySandboxRedemption(request)) == "WRONG_STATE"
    assert world.verify().intact


def test_every_event_of_it_carries_the_mark_and_no_real_one_does(world: World) -> None:
    programme = sandbox(world)
    paid(world, programme)
    paid(world, programme, return_code="AC04")
    learner, voucher = world.voucher(world.programme(paymentRule={"trigger": "TRIGGER_DELIVERY"}))
    world.accepted(learner, voucher)
    kinds = (
        events_pb2.ProgrammeActivated,
        events_pb2.VoucherIssued,
        events_pb2.RedemptionReserved,
        events_pb2.RedemptionAccepted,
        events_pb2.VoucherEnded,
        events_pb2.PayoutConfirmed,
        events_pb2.PayoutReturned,
    )
    marks = {
        kind.DESCRIPTOR.name: [getattr(each, "ref", each).sandbox for each in told(world, kind)]
        for kind in kinds
    }
    assert marks == {
        "ProgrammeActivated": [True, False],
        "VoucherIssued": [True, True, False],
        "RedemptionReserved": [True, True, False],
        "RedemptionAccepted": [True, True, False],
        "VoucherEnded": [True, True, False],
        "PayoutConfirmed": [True],
        "PayoutReturned": [True],
    }
    assert len(told(world, events_pb2.ApplicationDecided)) == 1  # nobody applied to the sandbox


def test_lists_show_either_the_sandbox_or_the_rest(world: World) -> None:
    programme = sandbox(world)
    test = accepted(world, programme)
    other = world.programme()
    real = world.reserve(*world.voucher(other))

    def redemptions(**filters: Any) -> list[str]:
        request = redemption_pb2.ListRedemptionsRequest(organisation=world.organisation, **filters)
        return [each.name for each in world.provider.redemptions.ListRedemptions(request).redemptions]

    def programmes(**filters: Any) -> list[tuple[str, bool]]:
        request = programme_pb2.ListProgrammesRequest(**filters)
        found = world.person().programmes.ListProgrammes(request).programmes
        return [(each.name, each.sandbox) for each in found]

    assert redemptions() == [real.name]
    assert redemptions(sandbox=True) == [test.name]
    assert programmes() == [(other, False)]
    assert programmes(sandbox=True) == [(programme, True)]


def test_a_stranger_can_do_nothing_with_it(world: World) -> None:
    programme = sandbox(world)
    took = accepted(world, programme)
    stranger = world.person("provider", org="organisations/other")
    request = pb.PaySandboxRedemptionRequest(name=took.name)
    assert refused(lambda: stranger.sandbox.PaySandboxRedemption(request)) == "NOT_FOUND"
    back = pb.ClawBackSandboxRedemptionRequest(name=took.name, reason_code=State.END_REASON_OTHER)
    assert refused(lambda: stranger.sandbox.ClawBackSandboxRedemption(back)) == "NOT_FOUND"
    assert refused(lambda: stranger.sandbox.CreateSandboxVoucher(ask(world, programme))) == "NOT_FOUND"
    foreign = ask(world, programme, parent="organisations/other")
    assert refused(lambda: stranger.sandbox.CreateSandboxVoucher(foreign)) == "SESSION_UNKNOWN"


def test_rules_that_ask_for_facts_say_so_and_an_empty_pot_too(world: World) -> None:
    clause = {
        "id": "in-work",
        "expression": "learner.employment_status == 'employed'",
        "reasonCode": "NOT_IN_WORK",
    }
    asks = sandbox(world, clauses=[clause])
    told_why = violations_of(lambda: made(world, asks))
    assert "facts" in told_why["programme"]
    level = sandbox(world, courseRule={"minEqfLevel": 6})
    assert "COURSE_NOT_ALLOWED" in violations_of(lambda: made(world, level))["programme"]
    poor = sandbox(world, fund=1)
    assert refused(lambda: made(world, poor)) == "BUDGET_EXHAUSTED"


def test_a_barred_provider_is_refused_as_the_contract_says(world: World) -> None:
    programme = sandbox(world)
    sanction(world, Sanction.KIND_NO_NEW_RESERVATIONS)
    reason = refused(lambda: made(world, programme))
    assert reason == "PROVIDER_SANCTIONED"
    (rpc,) = (each for each in Contract().rpcs if each.name == "CreateSandboxVoucher")
    assert reason in rpc.reasons


def test_the_code_is_told_once(world: World) -> None:
    request = ask(world, sandbox(world))
    assert world.provider.sandbox.CreateSandboxVoucher(request).code
    assert refused(lambda: world.provider.sandbox.CreateSandboxVoucher(request)) == "ALREADY_ANSWERED"


def test_a_provider_has_so_many_a_day_and_others_have_theirs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "DAILY", 2)
    programme = sandbox(world)
    assert at_once(lambda: made(world, programme), 4) == {"": 2, "SANDBOX_LIMIT": 2}
    other = "organisations/other"
    world.accredit(other)
    session = world.offer("courses/roofing", organisation=other)
    request = ask(world, programme, parent=other, session=session)
    assert world.person("provider", org=other).sandbox.CreateSandboxVoucher(request).code
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE sandbox_days SET day = day - 1"))
    assert made(world, programme).code


def test_control_without_the_count_there_is_no_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "DAILY", 2)
    monkeypatch.setattr(store, "count", lambda *_: None)
    programme = sandbox(world)
    assert at_once(lambda: made(world, programme), 4) == {"": 4}


def test_an_unused_voucher_expires_and_its_amount_is_back_in_the_pot(world: World) -> None:
    made(world, sandbox(world))
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE vouchers SET expires_at = now() - interval '1 second'"))
    jobs.expire_vouchers(world.app)
    with transaction(world.app) as tx:
        assert tx.execute(text("SELECT available_cents FROM pots")).scalar_one() == 10_000_000
    assert world.verify().intact
