"""Money taken back: from what is owed, else as a receivable that batches set off."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import (
    events_pb2,
    hold_pb2,
    payout_batch_pb2,
    receivable_pb2,
    redemption_pb2,
    voucher_pb2,
)

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.store import receivables
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_bank_results import approved, import_, message_id, read, reference, sent
from tests.support.bank import Booking, camt054
from tests.support.meetings import Meanwhile
from tests.support.quality import told
from tests.support.vouchers import NO_EVIDENCE, OTHER_IBAN, World, cents, eur

pb = receivable_pb2
Redemption = redemption_pb2.Redemption
State = payout_batch_pb2.PayoutBatch
Voucher = voucher_pb2.Voucher
HELD, CLEARED, BANK, RECEIVABLE, LOSS = 5, 6, 7, 8, 9


@pytest.fixture
def owed(world: World) -> World:
    """A world in which the school has an account and is owed 1 000 euro of a voucher of 1 000."""
    world.plan = world.programme(**NO_EVIDENCE)
    world.learner_, world.voucher_ = world.voucher(world.plan)
    world.redemption = world.accepted(world.learner_, world.voucher_)
    world.bank_account()
    return world


@pytest.fixture
def paid(owed: World) -> World:
    """The same after payment."""
    owed.paid_batch = sent(owed)
    return owed


def claw_back(world: World, amount: int = 0, **options: Any) -> Any:
    """Takes money of the redemption back."""
    request = redemption_pb2.ClawBackRedemptionRequest(
        name=world.redemption.name, reason_code=Redemption.END_REASON_NOT_ATTENDED, **options
    )
    if amount:
        request.amount.CopyFrom(eur(amount))
    return world.payer.redemptions.ClawBackRedemption(request)


def owe_more(world: World, amount: int = 0) -> Any:
    """Has another redemption accepted on a voucher of its own."""
    return world.accepted(*world.voucher(world.plan), amount=amount)


def listed(world: World, **options: Any) -> list[Any]:
    """Returns receivables, oldest first."""
    found = world.auditor.receivables.ListReceivables(pb.ListReceivablesRequest(**options))
    return list(found.receivables)


def balances(world: World, *kinds: int) -> list[int]:
    """Returns sums by kind of account."""
    found = world.balances()
    return [found.get(kind, 0) for kind in kinds]


def intact(world: World) -> bool:
    """Verifies the ledger, which must sum to zero."""
    report = world.verify()
    assert report.intact, report.findings
    return sum(world.balances().values()) == 0


def test_before_payment_it_is_taken_from_what_is_owed_and_the_learner_can_spend_it_again(owed: World) -> None:
    part = claw_back(owed, 30_000)
    assert part.state == Redemption.STATE_ACCEPTED
    assert (cents(part.clawed_back_amount), part.end_reason) == (30_000, Redemption.END_REASON_NOT_ATTENDED)
    assert balances(owed, HELD, RECEIVABLE) == [70_000, 0]
    jobs.release_held(owed.app)
    whole = claw_back(owed)
    assert whole.state == Redemption.STATE_CLAWED_BACK
    assert cents(whole.clawed_back_amount) == 100_000
    assert balances(owed, HELD, CLEARED, RECEIVABLE) == [0, 0, 0]
    assert refused(owed.batch) == "NOTHING_TO_PAY"
    assert refused(lambda: claw_back(owed)) == "WRONG_STATE"
    assert cents(owed.wallet(owed.learner_, owed.voucher_).available) == 100_000
    owed.accepted(owed.learner_, owed.voucher_)
    assert not listed(owed, show_settled=True)
    assert intact(owed)


def test_a_learner_at_fault_gets_nothing_back(owed: World) -> None:
    before = balances(owed, 2)[0]
    claw_back(owed, learner_at_fault=True)
    assert balances(owed, 2, 3, HELD) == [before + 100_000, 0, 0]
    assert cents(owed.wallet(owed.learner_, owed.voucher_).available) == 0
    assert intact(owed)


def expired(world: World) -> None:
    """Lets the voucher expire that had forty days when it was spent, and thirty to be reserved."""
    key = str(world.voucher_).rpartition("/")[2]
    with transaction(world.app) as tx:
        ago = "created_at = created_at - interval '40 days'"
        tx.execute(text(f"UPDATE redemptions SET {ago}"))
        limits = "expires_at = now(), order_until = now() - interval '10 days', state = least(state, 3)"
        tx.execute(text(f"UPDATE vouchers SET {limits} WHERE id = :id"), {"id": key})
    jobs.expire_vouchers(world.app)


def test_without_fault_an_expired_voucher_is_open_again_for_the_days_it_had(owed: World) -> None:
    expired(owed)
    assert owed.wallet(owed.learner_, owed.voucher_).state == Voucher.STATE_EXPIRED
    claw_back(owed, 60_000)
    jobs.expire_vouchers(owed.app)
    open_again = owed.wallet(owed.learner_, owed.voucher_)
    assert (open_again.state, cents(open_again.available)) == (Voucher.STATE_PARTLY_USED, 60_000)
    assert (open_again.expire_time.ToDatetime().date() - owed.today).days == 40
    (told_of,) = told(owed, events_pb2.VoucherExtended)
    assert told_of.expire_time == open_again.expire_time
    (taken,) = told(owed, events_pb2.RedemptionClawedBack)
    assert (taken.spend_until.ToDatetime().date() - owed.today).days == 30
    request = voucher_pb2.ListVoucherHistoryRequest(parent=owed.voucher_)
    last = owed.learner_.vouchers.ListVoucherHistory(request).items[-1]
    assert (last.state, last.extension_reason) == (open_again.state, voucher_pb2.EXTENSION_REASON_TAKEN_BACK)
    assert cents(owed.reserve(owed.learner_, owed.voucher_).amount) == 60_000
    assert intact(owed)


@pytest.mark.parametrize("why", ["at fault", "past the budget"])
def test_else_it_stays_expired_and_the_learner_is_told(world: World, why: str) -> None:
    windows = {"validityDays": 365, "withinBudgetPeriod": True}
    world.learner_, world.voucher_ = world.voucher(world.programme(**NO_EVIDENCE, windowRule=windows))
    world.redemption = world.accepted(world.learner_, world.voucher_)
    expired(world)
    if why == "past the budget":
        with transaction(world.app) as tx:
            tx.execute(text("UPDATE budgets SET start_date = start_date - 400, end_date = CURRENT_DATE - 1"))
    claw_back(world, learner_at_fault=why == "at fault")
    jobs.expire_vouchers(world.app)
    wallet = world.wallet(world.learner_, world.voucher_)
    assert (wallet.state, cents(wallet.available)) == (Voucher.STATE_EXPIRED, 0)
    (taken,) = told(world, events_pb2.RedemptionClawedBack)
    assert not taken.HasField("spend_until")
    assert not told(world, events_pb2.VoucherExtended)


def test_what_is_asked_for_must_be_there(owed: World) -> None:
    assert refused(lambda: claw_back(owed, 100_001)) == "AMOUNT_TOO_HIGH"
    claw_back(owed, 99_999)
    assert refused(lambda: claw_back(owed, 2)) == "AMOUNT_TOO_HIGH"
    owed.redemption = owed.reserve(*owed.voucher(owed.plan))
    assert refused(lambda: claw_back(owed)) == "WRONG_STATE"


def test_what_is_in_a_batch_must_leave_it_first(owed: World) -> None:
    batch = owed.batch()
    assert refused(lambda: claw_back(owed)) == "WRONG_STATE"
    hold = hold_pb2.Hold(target=owed.redemption.name, reason="looks fictitious")
    owed.payer.holds.PlaceHold(hold_pb2.PlaceHoldRequest(hold=hold))
    owed.payer.batches.FreezePayoutBatch(payout_batch_pb2.FreezePayoutBatchRequest(name=batch.name))
    assert claw_back(owed).state == Redemption.STATE_CLAWED_BACK
    assert balances(owed, HELD, CLEARED, BANK, RECEIVABLE) == [0, 0, 0, 0]
    assert intact(owed)


def test_after_payment_it_is_set_off_against_the_next_batches(paid: World) -> None:
    claw_back(paid, 80_000)
    (owing,) = listed(paid)
    assert (cents(owing.amount), cents(owing.outstanding), owing.age_days) == (80_000, 80_000, 0)
    assert owing.state == pb.Receivable.STATE_OPEN
    assert (owing.redemption, owing.organisation) == (paid.redemption.name, paid.organisation)
    assert balances(paid, RECEIVABLE) == [-80_000]
    assert intact(paid)
    owe_more(paid, 50_000)
    first = approved(paid)
    (payment,) = first.payouts
    assert (cents(payment.amount), cents(payment.set_off)) == (0, 50_000)
    assert payment.state == State.STATE_CONFIRMED
    file = payout_batch_pb2.GetBankFileRequest(name=first.name)
    assert refused(lambda: paid.payer.batches.GetBankFile(file)) == "NOTHING_TO_PAY"
    mark = payout_batch_pb2.MarkPayoutBatchSentRequest(name=first.name)
    assert paid.payer.batches.MarkPayoutBatchSent(mark).state == State.STATE_CONFIRMED
    assert cents(listed(paid)[0].outstanding) == 30_000
    owe_more(paid, 20_000)
    owe_more(paid, 40_000)
    second = sent(paid)
    assert (cents(second.total), cents(second.payouts[0].set_off)) == (30_000, 30_000)
    assert balances(paid, BANK, CLEARED, RECEIVABLE) == [130_000, 0, 0]
    assert not listed(paid)
    assert listed(paid, show_settled=True)[0].state == pb.Receivable.STATE_SETTLED
    assert intact(paid)


def test_a_returned_payment_brings_back_only_what_the_bank_had(paid: World) -> None:
    claw_back(paid, 30_000)
    owe_more(paid)
    batch = sent(paid)
    assert cents(batch.total) == 70_000
    back = [Booking(reference(batch), 70_000, back=True, reason="AC04")]
    import_(paid, camt054("N-1", back, account=OTHER_IBAN))
    assert balances(paid, BANK, CLEARED, RECEIVABLE) == [100_000, 70_000, 0]
    assert cents(sent(paid).total) == 70_000
    assert intact(paid)


def test_a_payment_clawed_back_and_then_returned_is_set_off(paid: World) -> None:
    claw_back(paid)
    back = [Booking(reference(paid.paid_batch), 100_000, back=True)]
    import_(paid, camt054("N-1", back, account=OTHER_IBAN))
    assert balances(paid, BANK, CLEARED, RECEIVABLE) == [0, 100_000, -100_000]
    batch = approved(paid)
    assert [cents(batch.total), cents(batch.payouts[0].set_off)] == [0, 100_000]
    assert balances(paid, BANK, CLEARED, RECEIVABLE) == [0, 0, 0]
    get = redemption_pb2.GetRedemptionRequest(name=paid.redemption.name)
    assert paid.auditor.redemptions.GetRedemption(get).state == Redemption.STATE_CLAWED_BACK
    assert intact(paid)


def test_what_is_left_after_a_return_pays_its_own_receivable(paid: World) -> None:
    claw_back(paid, 30_000)
    back = [Booking(reference(paid.paid_batch), 100_000, back=True)]
    import_(paid, camt054("N-1", back, account=OTHER_IBAN))
    rest = claw_back(paid)  # 70 000 of the 100 000 that came back
    assert rest.state == Redemption.STATE_ACCEPTED
    assert cents(rest.clawed_back_amount) == 100_000
    assert balances(paid, CLEARED, RECEIVABLE) == [30_000, -30_000]
    batch = approved(paid)
    assert [cents(batch.total), cents(batch.payouts[0].set_off)] == [0, 30_000]
    assert balances(paid, BANK, CLEARED, RECEIVABLE) == [0, 0, 0]
    assert cents(paid.wallet(paid.learner_, paid.voucher_).available) == 100_000
    get = redemption_pb2.GetRedemptionRequest(name=paid.redemption.name)
    assert paid.auditor.redemptions.GetRedemption(get).state == Redemption.STATE_CLAWED_BACK
    assert intact(paid)


def test_a_batch_with_a_set_off_is_booked_as_a_whole_by_the_bank(paid: World) -> None:
    claw_back(paid, 30_000)
    owe_more(paid)
    batch = sent(paid)
    whole = [Booking("", 70_000)]
    import_(paid, camt054("N-1", whole, account=OTHER_IBAN, batch=message_id(batch)))
    assert read(paid, batch).state == State.STATE_CONFIRMED


def test_freezing_anew_reserves_anew(paid: World) -> None:
    claw_back(paid, 30_000)
    owe_more(paid)
    name = paid.batch().name
    for _ in range(2):
        freeze = payout_batch_pb2.FreezePayoutBatchRequest(name=name)
        frozen = paid.payer.batches.FreezePayoutBatch(freeze)
        assert cents(frozen.total) == 70_000
    (owing,) = listed(paid)
    assert (cents(owing.reserved), cents(owing.outstanding)) == (30_000, 30_000)
    propose = pb.ProposeWriteOffRequest(name=owing.name, reason="bankrupt")
    assert refused(lambda: paid.payer.receivables.ProposeWriteOff(propose)) == "WRONG_STATE"
    approve = payout_batch_pb2.ApprovePayoutBatchRequest(name=name)
    paid.approver.batches.ApprovePayoutBatch(approve)
    assert intact(paid)


def test_a_batch_that_holds_have_emptied_sets_nothing_off(paid: World) -> None:
    claw_back(paid, 30_000)
    more = owe_more(paid)
    freeze = payout_batch_pb2.FreezePayoutBatchRequest(name=paid.batch().name)
    assert cents(paid.payer.batches.FreezePayoutBatch(freeze).payouts[0].set_off) == 30_000
    hold = hold_pb2.Hold(target=more.name, reason="looks fictitious")
    paid.payer.holds.PlaceHold(hold_pb2.PlaceHoldRequest(hold=hold))
    paid.payer.batches.FreezePayoutBatch(freeze)
    (owing,) = listed(paid)
    assert (cents(owing.reserved), cents(owing.outstanding)) == (0, 30_000)
    owe_more(paid)
    assert cents(paid.batch().total) == 100_000


def race(world: World, monkeypatch: pytest.MonkeyPatch, patience: float, take: Any = claw_back) -> Meanwhile:
    """Pays everything while a claw-back stands between reading and writing; returns the payment."""
    jobs.release_held(world.app)
    payment = Meanwhile(monkeypatch, receivables, "lock_redemption", lambda: approved(world), patience)
    take(world)
    return payment


def test_a_claw_back_and_a_payout_at_once_move_the_money_once(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = race(owed, monkeypatch, 1)
    assert refused(lambda: payment.answer) == "NOTHING_TO_PAY"
    assert balances(owed, CLEARED, BANK) == [0, 0]
    assert intact(owed)


def test_control_without_the_lock_the_money_goes_both_ways(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = text(str(receivables._LOCK).partition(" FOR NO KEY")[0])

    def read_only(tx: Any, redemption: str) -> Any:
        return tx.execute(unlocked, {"id": redemption}).one()

    monkeypatch.setattr(receivables, "lock_redemption", read_only)
    assert cents(race(owed, monkeypatch, 30).answer.total) == 100_000
    assert balances(owed, CLEARED, BANK) == [-100_000, 100_000]
    assert "NEGATIVE" in {finding.kind for finding in owed.verify().findings}
