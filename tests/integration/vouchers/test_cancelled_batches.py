"""A batch given up: what it was to pay waits for the next, and what the bank may have is not paid twice."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree
from waymark.vouchers.v1 import bank_report_pb2, redemption_pb2
from waymark.vouchers.v1 import payout_batch_pb2 as pb

from services.vouchers.domain.payouts import masked_iban
from services.vouchers.store import payouts
from tests.integration.vouchers import test_co_funding, test_payables
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_bank_results import (
    approved,
    entries,
    import_,
    owed,
    read,
    reference,
    sent,
    told,
)
from tests.integration.vouchers.test_claw_back import claw_back, intact, listed, owe_more
from tests.integration.vouchers.test_payouts import frozen
from tests.support.bank import Status, pain002
from tests.support.canary import CANARY, everything
from tests.support.vouchers import NO_EVIDENCE, World, cents, request_id

State, Redemption, Entry = pb.PayoutBatch, redemption_pb2.Redemption, bank_report_pb2.BankReportEntry
CLEARED, BANK = 6, 7
WAYS = {"open": World.batch, "frozen": frozen, "approved": approved}
__all__ = ["owed"]


def cancel(world: World, batch: Any, **options: Any) -> Any:
    """Gives a batch up."""
    request = pb.CancelPayoutBatchRequest(name=batch.name, reason="wrong account", **options)
    return world.payer.batches.CancelPayoutBatch(request)


def bank_file(world: World, batch: Any) -> bytes:
    """Fetches the file of a batch."""
    return bytes(world.payer.batches.GetBankFile(pb.GetBankFileRequest(name=batch.name)).data)


def retract(world: World, batch: Any, **options: Any) -> Any:
    """Has the approver say that the fetched file did not go to the bank."""
    request = pb.RetractBankFileRequest(name=batch.name, **options)
    return world.approver.batches.RetractBankFile(request)


def retracted(world: World) -> Any:
    """Returns a batch whose file was fetched, and retracted by the approver."""
    batch = approved(world)
    bank_file(world, batch)
    return retract(world, batch)


def entry_count(world: World) -> int:
    """Returns how many entries the ledger has."""
    return int(world.verify().entry_count)


def state_of(world: World) -> int:
    """Returns where the redemption stands."""
    request = redemption_pb2.GetRedemptionRequest(name=world.redemption.name)
    return int(world.auditor.redemptions.GetRedemption(request).state)


@pytest.mark.parametrize("way", WAYS)
def test_what_it_was_to_pay_is_paid_by_the_next(owed: World, way: str) -> None:
    batch = WAYS[way](owed)
    before = entry_count(owed)
    given_up = cancel(owed, batch)
    assert given_up.state == State.STATE_CANCELLED == given_up.payouts[0].state
    assert (given_up.cancel_reason, cents(given_up.total)) == ("wrong account", 100_000)
    assert given_up.HasField("cancel_time")
    assert read(owed, batch) == given_up
    assert state_of(owed) == Redemption.STATE_ACCEPTED
    assert (owed.balances()[CLEARED], owed.balances().get(BANK, 0)) == (100_000, 0)
    assert entry_count(owed) - before == (2 if way == "approved" else 0)  # nothing was booked before
    assert told(owed)[-1] == "PayoutBatchCancelled"
    again = sent(owed)
    assert cents(again.total) == 100_000 == owed.balances()[BANK]
    assert reference(again) != reference(given_up)
    assert state_of(owed) == Redemption.STATE_PAID
    assert intact(owed)


@pytest.mark.parametrize("way", WAYS)
def test_payables_wait_again(world: World, way: str) -> None:
    made = test_payables.owed.__wrapped__(world)  # type: ignore[attr-defined]
    kind = State.KIND_PAYABLES
    if way == "frozen":
        batch = test_payables.freeze(made, made.batch(kind=kind).name)
    else:
        batch = WAYS[way](made, kind=kind)
    cancel(made, batch)
    (waiting,) = test_payables.listed(made)
    assert (waiting.state, waiting.payout_batch) == (test_payables.State.STATE_WAITING, "")
    assert cents(sent(made, kind=kind).total) == 60_000
    assert intact(made)


def test_what_the_bank_may_have_is_not_given_up(owed: World) -> None:
    batch = approved(owed)
    assert not read(owed, batch).HasField("file_time")
    bank_file(owed, batch)
    fetched = read(owed, batch)
    assert fetched.HasField("file_time")
    assert refused(lambda: cancel(owed, batch)) == "BANK_FILE_FETCHED"
    bank_file(owed, batch)
    assert read(owed, batch) == fetched  # when it was first fetched, and the version that was approved
    mark = pb.MarkPayoutBatchSentRequest(name=batch.name, etag=batch.etag)
    owed.payer.batches.MarkPayoutBatchSent(mark)
    assert refused(lambda: cancel(owed, batch)) == "BANK_FILE_FETCHED"
    import_(owed, pain002("OUT", [Status(reference(batch), "ACSC", cents=100_000)]))
    assert refused(lambda: cancel(owed, batch)) == "WRONG_STATE"
    assert intact(owed)


def test_of_two_people_one_retracts_the_file_and_another_gives_the_batch_up(owed: World) -> None:
    batch = retracted(owed)
    assert (batch.state, batch.HasField("file_time")) == (State.STATE_APPROVED, True)
    assert batch.HasField("file_retract_time")
    assert read(owed, batch) == batch
    alone = pb.CancelPayoutBatchRequest(name=batch.name, reason="wrong account")
    assert refused(lambda: owed.approver.batches.CancelPayoutBatch(alone)) == "SAME_PERSON"
    assert cancel(owed, batch, etag=batch.etag).state == State.STATE_CANCELLED
    assert refused(lambda: bank_file(owed, batch)) == "WRONG_STATE"
    assert cents(sent(owed).total) == 100_000 == owed.balances()[BANK]
    assert intact(owed)


def test_whoever_fetches_a_retracted_file_takes_that_back(owed: World) -> None:
    batch = retracted(owed)
    bank_file(owed, batch)
    again = read(owed, batch)
    assert (again.file_time, again.HasField("file_retract_time")) == (batch.file_time, False)
    assert refused(lambda: cancel(owed, batch)) == "BANK_FILE_FETCHED"
    retract(owed, batch)
    assert cancel(owed, batch).state == State.STATE_CANCELLED


def test_only_the_file_of_an_approved_one_is_retracted(owed: World) -> None:
    assert refused(lambda: retract(owed, frozen(owed))) == "WRONG_STATE"
    cancel(owed, owed.auditor.batches.ListPayoutBatches(pb.ListPayoutBatchesRequest()).payout_batches[0])
    batch = approved(owed)
    assert refused(lambda: retract(owed, batch, etag='"99"')) == "ETAG_STALE"
    missing = pb.RetractBankFileRequest(name=f"payoutBatches/{request_id()}")
    assert refused(lambda: owed.approver.batches.RetractBankFile(missing)) == "NOT_FOUND"
    retract(owed, batch)  # of a file that nobody fetched: whoever comes next fetches it anew
    bank_file(owed, batch)
    assert refused(lambda: cancel(owed, batch)) == "BANK_FILE_FETCHED"
    owed.payer.batches.MarkPayoutBatchSent(pb.MarkPayoutBatchSentRequest(name=batch.name))
    import_(owed, pain002("OUT", [Status(reference(batch), "ACSC", cents=100_000)]))
    assert refused(lambda: retract(owed, batch)) == "WRONG_STATE"


def test_a_look_before_sending_shows_what_the_bank_will_be_told_and_costs_nothing(owed: World) -> None:
    batch = approved(owed)
    seen = read(owed, batch)
    assert not seen.HasField("file_time")
    (payment,) = seen.payouts
    file = etree.fromstring(bank_file(owed, batch))
    (entry,) = file.iter("{*}CdtTrfTxInf")
    iban = entry.findtext(".//{*}IBAN", "")
    assert iban not in seen.SerializeToString().decode("utf-8", "replace")
    assert (
        payment.holder_name,
        payment.iban,
        payment.end_to_end_id,
        payment.text,
        cents(payment.amount),
    ) == (
        entry.findtext("{*}Cdtr/{*}Nm"),
        masked_iban(iban),
        entry.findtext("{*}PmtId/{*}EndToEndId"),
        entry.findtext("{*}RmtInf/{*}Ustrd"),
        round(float(entry.findtext("{*}Amt/{*}InstdAmt", "")) * 100),
    )
    assert payment.bic == (entry.findtext("{*}CdtrAgt/{*}FinInstnId/{*}BICFI") or "")


def test_one_marked_as_sent_by_mistake_is_given_up_by_two_people(owed: World) -> None:
    batch = sent(owed)
    assert refused(lambda: cancel(owed, batch)) == "BANK_FILE_FETCHED"
    retract(owed, batch)
    alone = pb.CancelPayoutBatchRequest(name=batch.name, reason="never handed in")
    assert refused(lambda: owed.approver.batches.CancelPayoutBatch(alone)) == "SAME_PERSON"
    assert cancel(owed, batch).state == State.STATE_CANCELLED
    assert (owed.balances()[CLEARED], owed.balances().get(BANK, 0)) == (100_000, 0)
    report = import_(owed, pain002("LATE", [Status(reference(batch), "ACSC", cents=100_000)]))
    assert [each.outcome for each in entries(owed, report)] == [Entry.OUTCOME_NOT_SENT]
    assert cents(sent(owed).total) == 100_000 == owed.balances()[BANK]
    assert intact(owed)


def test_a_word_of_the_bank_tells_that_it_was_no_mistake(owed: World) -> None:
    batch = sent(owed)
    retract(owed, batch)
    import_(owed, pain002("OUT", [Status(reference(batch), "RJCT", "AC04")]))
    assert refused(lambda: cancel(owed, batch)) == "WRONG_STATE"
    assert intact(owed)


def test_control_without_the_note_on_the_file_the_same_is_paid_twice(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payouts, "note_file", lambda *_: None)
    first = approved(owed)
    files = [bank_file(owed, first)]
    cancel(owed, first)
    files.append(bank_file(owed, approved(owed)))
    assert [b'<InstdAmt Ccy="EUR">1000.00</InstdAmt>' in file for file in files] == [True, True]


def test_given_up_it_goes_nowhere(owed: World) -> None:
    batch = frozen(owed)
    assert refused(lambda: cancel(owed, batch, etag='"99"')) == "ETAG_STALE"
    cancel(owed, batch, etag=batch.etag)
    calls = owed.approver.batches
    for call in (
        lambda: cancel(owed, batch),
        lambda: calls.FreezePayoutBatch(pb.FreezePayoutBatchRequest(name=batch.name)),
        lambda: calls.ApprovePayoutBatch(pb.ApprovePayoutBatchRequest(name=batch.name)),
        lambda: calls.MarkPayoutBatchSent(pb.MarkPayoutBatchSentRequest(name=batch.name)),
        lambda: bank_file(owed, batch),
    ):
        assert refused(call) == "WRONG_STATE"
    report = import_(owed, pain002("LATE", [Status(reference(batch), "ACSC", cents=100_000)]))
    assert [each.outcome for each in entries(owed, report)] == [Entry.OUTCOME_NOT_SENT]
    short = pb.CancelPayoutBatchRequest(name=batch.name, reason="x")
    assert list(violations_of(lambda: owed.payer.batches.CancelPayoutBatch(short))) == ["reason"]
    missing = pb.CancelPayoutBatchRequest(name=f"payoutBatches/{request_id()}", reason="gone")
    assert refused(lambda: owed.payer.batches.CancelPayoutBatch(missing)) == "NOT_FOUND"


def test_the_reason_is_kept_sealed_and_read_by_who_reads_batches(owed: World) -> None:
    request = pb.CancelPayoutBatchRequest(name=owed.batch().name, reason=CANARY, request_id=request_id())
    given_up = owed.payer.batches.CancelPayoutBatch(request)
    assert owed.payer.batches.CancelPayoutBatch(request) == given_up
    (seen,) = owed.auditor.batches.ListPayoutBatches(pb.ListPayoutBatchesRequest()).payout_batches
    assert seen.cancel_reason == CANARY
    assert CANARY not in everything(owed.app.engine)


def owing(world: World, cents_: int) -> None:
    """Has the provider owe back so much of a paid redemption, and be owed 500 euro more."""
    world.plan = world.programme(**NO_EVIDENCE)
    sent(world)
    claw_back(world, cents_)
    owe_more(world, 50_000)


def test_what_a_frozen_one_was_to_set_off_the_next_sets_off(owed: World) -> None:
    owing(owed, 20_000)
    batch = frozen(owed)
    assert [cents(each.reserved) for each in listed(owed)] == [20_000]
    cancel(owed, batch)
    assert [cents(each.reserved) for each in listed(owed)] == [0]
    (payment,) = approved(owed).payouts
    assert (cents(payment.amount), cents(payment.set_off)) == (30_000, 20_000)
    assert not listed(owed)
    assert intact(owed)


def test_what_an_approved_one_set_off_stays_set_off(owed: World) -> None:
    owing(owed, 20_000)
    cancel(owed, approved(owed))
    assert not listed(owed)
    (payment,) = approved(owed).payouts
    assert (cents(payment.amount), cents(payment.set_off)) == (30_000, 0)
    assert intact(owed)


def test_one_that_was_set_off_whole_is_over(owed: World) -> None:
    owing(owed, 60_000)
    batch = approved(owed)
    assert refused(lambda: cancel(owed, batch)) == "WRONG_STATE"
    assert read(owed, batch).state == State.STATE_APPROVED


def test_its_sources_bear_nothing_of_an_approved_one(world: World) -> None:
    shared = test_co_funding.shared.__wrapped__(world)  # type: ignore[attr-defined]
    redemption = shared.accepted(*shared.voucher(shared.plan), amount=33_333)
    cancel(shared, approved(shared))
    shares = test_co_funding.listed(shared.auditor, redemption=redemption.name)
    assert set(test_co_funding.borne(shares).values()) == {0}
    approved(shared)
    shares = test_co_funding.listed(shared.auditor, redemption=redemption.name)
    assert sum(test_co_funding.borne(shares).values()) == 33_333
