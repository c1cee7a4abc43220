"""A provider gives accepted or paid money back by itself: a claw-back, with the learner's right restored."""

from __future__ import annotations

from typing import Any

import pytest
from waymark.vouchers.v1 import events_pb2, redemption_pb2

from services.vouchers import jobs
from tests.integration.vouchers import test_claw_back
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_bank_results import approved
from tests.integration.vouchers.test_claw_back import (
    CLEARED,
    HELD,
    RECEIVABLE,
    balances,
    intact,
    listed,
    owe_more,
)
from tests.support.canary import CANARY, everything
from tests.support.quality import told
from tests.support.vouchers import World, cents, eur, request_id

Redemption = redemption_pb2.Redemption
owed, paid = test_claw_back.owed, test_claw_back.paid


def refund(world: Any, amount: int = 0, **options: Any) -> Any:
    """Gives money of the redemption back."""
    values = {"reason_code": Redemption.END_REASON_NOT_COMPLETED, **options}
    request = redemption_pb2.RefundRedemptionRequest(name=world.redemption.name, **values)
    if amount:
        request.amount.CopyFrom(eur(amount))
    return world.provider.redemptions.RefundRedemption(request)


def available(world: Any) -> int:
    return cents(world.wallet(world.learner_, world.voucher_).available)


def test_what_is_held_and_then_what_is_cleared_returns_to_the_learner(owed: Any) -> None:
    once = request_id()
    part = refund(owed, 30_000, request_id=once)
    assert refund(owed, 30_000, request_id=once) == part
    assert (part.state, part.voucher) == (Redemption.STATE_ACCEPTED, "")
    assert (cents(part.clawed_back_amount), part.end_reason) == (30_000, Redemption.END_REASON_NOT_COMPLETED)
    assert balances(owed, HELD, RECEIVABLE) == [70_000, 0]
    jobs.release_held(owed.app)
    assert refund(owed).state == Redemption.STATE_CLAWED_BACK
    assert balances(owed, HELD, CLEARED, RECEIVABLE) == [0, 0, 0]
    assert available(owed) == 100_000
    assert [(each.refund, each.whole) for each in told(owed, events_pb2.RedemptionClawedBack)] == [
        (True, False),
        (True, True),
    ]
    owed.accepted(owed.learner_, owed.voucher_)  # the right is as good as before
    assert intact(owed)


def test_what_was_paid_is_set_off_against_the_next_batch(paid: Any) -> None:
    refund(paid, 80_000)
    assert available(paid) == 80_000
    (owing,) = listed(paid)
    assert (owing.redemption, cents(owing.outstanding)) == (paid.redemption.name, 80_000)
    owe_more(paid)
    (payment,) = approved(paid).payouts
    assert (cents(payment.amount), cents(payment.set_off)) == (20_000, 80_000)
    assert balances(paid, CLEARED, RECEIVABLE) == [0, 0]
    assert intact(paid)


def test_what_is_refused(owed: Any) -> None:
    assert refused(lambda: refund(owed, 100_001)) == "AMOUNT_TOO_HIGH"
    unset = Redemption.END_REASON_UNSPECIFIED
    assert refused(lambda: refund(owed, reason_code=unset)) == "INVALID_ARGUMENT"
    refund(owed, 99_999)
    assert refused(lambda: refund(owed, 2)) == "AMOUNT_TOO_HIGH"
    owed.batch()
    assert refused(lambda: refund(owed)) == "WRONG_STATE"
    owed.redemption = owed.reserve(*owed.voucher(owed.plan))
    assert refused(lambda: refund(owed)) == "WRONG_STATE"


def test_nobody_gives_back_what_is_not_theirs(owed: Any) -> None:
    request = redemption_pb2.RefundRedemptionRequest(
        name=owed.redemption.name, reason_code=Redemption.END_REASON_OTHER
    )
    other = owed.person("provider", org="organisations/other")
    assert refused(lambda: other.redemptions.RefundRedemption(request)) == "NOT_FOUND"
    for person in (owed.learner_, owed.payer, owed.caseworker):
        call = person.redemptions.RefundRedemption
        assert refused(lambda call=call: call(request)) == "PERMISSION_DENIED"  # type: ignore[misc]


def test_its_note_is_read_by_the_learner_and_kept_sealed(owed: Any) -> None:
    once = request_id()
    given = refund(owed, reason=f"{CANARY} moved away", request_id=once)
    assert refund(owed, reason=f"{CANARY} moved away", request_id=once) == given
    get = redemption_pb2.GetRedemptionRequest(name=owed.redemption.name)
    assert owed.learner_.redemptions.GetRedemption(get).end_note == f"{CANARY} moved away"
    assert everything(owed.app.engine).count(CANARY) == 0


def test_a_refund_and_a_payout_at_once_move_the_money_once(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control is that of the claw-back: they share the lock."""
    payment = test_claw_back.race(owed, monkeypatch, 1, take=refund)
    assert refused(lambda: payment.answer) == "NOTHING_TO_PAY"
    assert intact(owed)
