"""Holds and batches: two people, time, and a bank file the schema accepts."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import text
from waymark.vouchers.v1 import hold_pb2, redemption_pb2
from waymark.vouchers.v1 import payout_batch_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.api import payout_batches
from services.vouchers.store import monitoring, payouts
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.meetings import Meanwhile
from tests.support.vouchers import NO_EVIDENCE, OTHER_IBAN, World, cents, day_message

BRIEF, LONG = 1, 30  # seconds: for whoever must wait for a lock, for whoever must not


@pytest.fixture
def owed(world: World) -> World:
    """A world in which the school is owed 1 000 euro."""
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.redemption = world.accepted(learner, voucher)
    return world


def place(world: World, target: str) -> Any:
    """Places a hold."""
    hold = hold_pb2.Hold(target=target, reason="looks fictitious")
    return world.payer.holds.PlaceHold(hold_pb2.PlaceHoldRequest(hold=hold))


def frozen(world: World) -> Any:
    """Returns a frozen batch."""
    batch = world.batch()
    return world.payer.batches.FreezePayoutBatch(pb.FreezePayoutBatchRequest(name=batch.name))


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
@pytest.mark.parametrize(("store", "read"), [(payouts, "releasable"), (monitoring, "unchecked")])
def test_a_batch_holds_what_a_job_clears_at_that_moment(
    owed: World, monkeypatch: pytest.MonkeyPatch, store: Any, read: str, guarded: bool
) -> None:
    owed.bank_account()
    if not guarded:
        monkeypatch.setattr(payouts, "wait_for_releases", lambda tx: None)
    meanwhile = Meanwhile(monkeypatch, store, read, owed.batch, BRIEF if guarded else LONG)
    jobs.release_held(owed.app)
    if guarded:
        assert not meanwhile.done
        assert cents(meanwhile.answer.total) == 100_000
    else:
        assert refused(lambda: meanwhile.answer) == "NOTHING_TO_PAY"


def test_nothing_is_paid_without_a_bank_account(owed: World) -> None:
    assert refused(owed.batch) == "NOTHING_TO_PAY"
    owed.bank_account()
    assert cents(owed.batch().total) == 100_000


def test_a_provider_without_an_account_is_named(owed: World) -> None:
    owed.bank_account()
    other = owed.offer("courses/else", organisation="organisations/else")
    owed.accredit("organisations/else")
    programme = owed.programme(**NO_EVIDENCE)
    learner = owed.learner()
    owed.session = other
    _, voucher = owed.voucher(programme, learner)
    owed.provider = owed.person("provider", org="organisations/else")
    owed.accepted(learner, voucher)
    assert list(owed.batch().skipped_organisations) == ["organisations/else"]


def test_those_without_an_account_keep_nobody_elses_money_back(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payout_batches, "LARGEST", 1)
    monkeypatch.setattr(payout_batches, "AT_ONCE", 1)
    session = owed.offer("courses/else", organisation="organisations/else")
    owed.accredit("organisations/else")
    learner = owed.learner()
    voucher = owed.apply(learner, owed.programme(**NO_EVIDENCE), session).voucher
    owed.session, owed.provider = session, owed.person("provider", org="organisations/else")
    owed.accepted(learner, voucher)
    owed.bank_account("organisations/else")  # the later redemption's provider
    found = owed.batch()
    assert [each.organisation for each in found.payouts] == ["organisations/else"]
    assert list(found.skipped_organisations) == [owed.organisation]


@pytest.mark.parametrize("kind", ["redemption", "course", "organisation"])
def test_a_hold_stops_payment_until_a_second_person_ends_it(owed: World, kind: str) -> None:
    owed.bank_account()
    target = {"redemption": owed.redemption.name, "course": owed.course, "organisation": owed.organisation}
    hold = place(owed, target[kind])
    jobs.release_held(owed.app)
    assert refused(owed.batch) == "NOTHING_TO_PAY"
    release = hold_pb2.ReleaseHoldRequest(name=hold.name, finding="was real")
    assert refused(lambda: owed.payer.holds.ReleaseHold(release)) == "SAME_PERSON"
    assert owed.approver.holds.ReleaseHold(release).released
    assert refused(lambda: owed.approver.holds.ReleaseHold(release)) == "WRONG_STATE"
    standing = owed.auditor.holds.ListHolds(hold_pb2.ListHoldsRequest())
    every = owed.auditor.holds.ListHolds(hold_pb2.ListHoldsRequest(show_ended=True))
    assert (len(standing.holds), len(every.holds)) == (0, 1)
    assert cents(owed.batch().total) == 100_000


def test_control_without_the_hold_it_is_paid(owed: World) -> None:
    owed.bank_account()
    owed.accredit("organisations/somebody-else")
    place(owed, "organisations/somebody-else")
    assert cents(owed.batch().total) == 100_000


@pytest.mark.parametrize("frozen_before", [False, True])
def test_a_hold_of_all_that_is_in_a_batch_empties_it(owed: World, frozen_before: bool) -> None:
    owed.bank_account()
    batch = frozen(owed) if frozen_before else owed.batch()
    hold = place(owed, owed.organisation)
    freeze = pb.FreezePayoutBatchRequest(name=batch.name)
    empty = owed.payer.batches.FreezePayoutBatch(freeze)
    assert (empty.state, cents(empty.total), list(empty.payouts)) == (pb.PayoutBatch.STATE_OPEN, 0, [])
    assert not empty.HasField("freeze_time")
    assert refused(lambda: owed.payer.batches.FreezePayoutBatch(freeze)) == "NOTHING_TO_PAY"
    approve = pb.ApprovePayoutBatchRequest(name=batch.name)
    assert refused(lambda: owed.approver.batches.ApprovePayoutBatch(approve)) == "WRONG_STATE"
    assert refused(owed.batch) == "NOTHING_TO_PAY"
    owed.approver.holds.ReleaseHold(hold_pb2.ReleaseHoldRequest(name=hold.name, finding="was real"))
    assert cents(frozen(owed).total) == 100_000


def test_the_hold_delay_must_pass(world: World) -> None:
    world.bank_account()
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE, holdRule={"delayDays": 14}))
    world.accepted(learner, voucher)
    jobs.release_held(world.app)
    assert world.balances()[5] == 100_000
    assert refused(world.batch) == "NOTHING_TO_PAY"
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE redemptions SET release_at = now()"))
    jobs.release_held(world.app)
    assert world.balances()[6] == 100_000
    assert world.verify().intact


def test_maker_is_not_checker_and_steps_have_an_order(owed: World) -> None:
    owed.bank_account()
    batch = owed.batch()
    approve = pb.ApprovePayoutBatchRequest(name=batch.name)
    assert refused(lambda: owed.approver.batches.ApprovePayoutBatch(approve)) == "WRONG_STATE"
    owed.payer.batches.FreezePayoutBatch(pb.FreezePayoutBatchRequest(name=batch.name))
    assert refused(lambda: owed.payer.batches.ApprovePayoutBatch(approve)) == "SAME_PERSON"
    file = pb.GetBankFileRequest(name=batch.name)
    assert refused(lambda: owed.payer.batches.GetBankFile(file)) == "WRONG_STATE"
    approve.etag = batch.etag
    assert refused(lambda: owed.approver.batches.ApprovePayoutBatch(approve)) == "ETAG_STALE"
    approve.etag = ""
    owed.approver.batches.ApprovePayoutBatch(approve)
    assert refused(lambda: owed.approver.batches.ApprovePayoutBatch(approve)) == "WRONG_STATE"
    paid = owed.auditor.redemptions.GetRedemption(
        redemption_pb2.GetRedemptionRequest(name=owed.redemption.name)
    )
    assert paid.state == redemption_pb2.Redemption.STATE_PAID
    listed = owed.auditor.batches.ListPayoutBatches(pb.ListPayoutBatchesRequest())
    assert [item.name for item in listed.payout_batches] == [batch.name]


def test_a_hold_placed_after_freezing_stops_the_approval_until_frozen_anew(owed: World) -> None:
    owed.bank_account()
    other = owed.accepted(*owed.voucher(owed.programme(**NO_EVIDENCE)))
    batch = frozen(owed)
    assert cents(batch.total) == 200_000
    place(owed, other.name)
    approve = pb.ApprovePayoutBatchRequest(name=batch.name)
    assert refused(lambda: owed.approver.batches.ApprovePayoutBatch(approve)) == "PAYOUT_HELD"
    anew = owed.payer.batches.FreezePayoutBatch(pb.FreezePayoutBatchRequest(name=batch.name))
    assert cents(anew.total) == 100_000
    owed.approver.batches.ApprovePayoutBatch(approve)
    assert owed.balances()[7] == 100_000


def test_control_without_the_look_at_holds_a_held_redemption_is_paid(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed.bank_account()
    batch = frozen(owed)
    place(owed, owed.redemption.name)
    monkeypatch.setattr(payouts, "stopped", lambda *_: [])
    owed.approver.batches.ApprovePayoutBatch(pb.ApprovePayoutBatchRequest(name=batch.name))
    assert owed.balances()[7] == 100_000


def test_a_person_says_that_the_bank_has_the_file(owed: World) -> None:
    owed.bank_account()
    batch = frozen(owed)
    assert batch.HasField("freeze_time")
    sent = pb.MarkPayoutBatchSentRequest(name=batch.name)
    assert refused(lambda: owed.payer.batches.MarkPayoutBatchSent(sent)) == "WRONG_STATE"
    approved = owed.approver.batches.ApprovePayoutBatch(pb.ApprovePayoutBatchRequest(name=batch.name))
    assert [payout.state for payout in approved.payouts] == [pb.PayoutBatch.STATE_APPROVED]
    assert not approved.HasField("send_time")
    sent.etag = batch.etag
    assert refused(lambda: owed.payer.batches.MarkPayoutBatchSent(sent)) == "ETAG_STALE"
    sent.etag = approved.etag
    assert refused(lambda: owed.payer.batches.MarkPayoutBatchSent(sent)) == "BANK_FILE_NOT_FETCHED"
    file = pb.GetBankFileRequest(name=batch.name)
    owed.payer.batches.GetBankFile(file)
    owed.payer.batches.RetractBankFile(pb.RetractBankFileRequest(name=batch.name))
    sent.etag = ""
    assert refused(lambda: owed.payer.batches.MarkPayoutBatchSent(sent)) == "BANK_FILE_NOT_FETCHED"
    owed.payer.batches.GetBankFile(file)
    done = owed.payer.batches.MarkPayoutBatchSent(sent)
    assert done.state == pb.PayoutBatch.STATE_SENT == done.payouts[0].state
    assert done.send_time.ToDatetime() >= done.approve_time.ToDatetime() >= done.freeze_time.ToDatetime()
    assert refused(lambda: owed.payer.batches.MarkPayoutBatchSent(sent)) == "WRONG_STATE"
    freeze = pb.FreezePayoutBatchRequest(name=batch.name)
    assert refused(lambda: owed.payer.batches.FreezePayoutBatch(freeze)) == "WRONG_STATE"
    with transaction(owed.app) as tx:
        tx.execute(text("UPDATE payout_batches SET sent_at = sent_at - interval '4 days'"))
    for asked, count in (
        ({"min_days_without_word": 4}, 1),
        ({"min_days_without_word": 5}, 0),
        ({"state": pb.PayoutBatch.STATE_SENT}, 1),
        ({"state": pb.PayoutBatch.STATE_APPROVED}, 0),
    ):
        listed = owed.auditor.batches.ListPayoutBatches(pb.ListPayoutBatchesRequest(**asked))
        assert [each.days_without_word for each in listed.payout_batches] == [4] * count
    assert owed.payer.batches.GetBankFile(pb.GetBankFileRequest(name=batch.name)).data
    with transaction(owed.app) as tx:
        told = tx.execute(text("SELECT type FROM outbox WHERE type LIKE '%Payout%' ORDER BY seq"))
        assert [name.rpartition(".")[2] for name in told.scalars()] == [
            "PayoutBatchApproved",
            "PayoutBatchSent",
        ]


def test_a_hold_placed_after_approval_keeps_back_a_file_that_nobody_has(owed: World) -> None:
    owed.bank_account()
    batch = frozen(owed)
    owed.approver.batches.ApprovePayoutBatch(pb.ApprovePayoutBatchRequest(name=batch.name))
    file = pb.GetBankFileRequest(name=batch.name)
    owed.accredit("organisations/somebody-else")
    assert not place(owed, "organisations/somebody-else").payout_batches
    assert list(place(owed, owed.course).payout_batches) == [batch.name]
    assert refused(lambda: owed.payer.batches.GetBankFile(file)) == "PAYOUT_HELD"
    cancel = pb.CancelPayoutBatchRequest(name=batch.name, reason="held")
    assert owed.payer.batches.CancelPayoutBatch(cancel).state == pb.PayoutBatch.STATE_CANCELLED
    assert refused(owed.batch) == "NOTHING_TO_PAY"


def test_a_hold_does_not_take_away_the_file_that_somebody_has(owed: World) -> None:
    owed.bank_account()
    batch = frozen(owed)
    owed.approver.batches.ApprovePayoutBatch(pb.ApprovePayoutBatchRequest(name=batch.name))
    file = pb.GetBankFileRequest(name=batch.name)
    before = owed.payer.batches.GetBankFile(file)
    assert list(place(owed, owed.organisation).payout_batches) == [batch.name]
    assert owed.payer.batches.GetBankFile(file) == before
    mark = pb.MarkPayoutBatchSentRequest(name=batch.name)
    assert owed.payer.batches.MarkPayoutBatchSent(mark).state == pb.PayoutBatch.STATE_SENT


def test_what_has_changed_since_freezing_is_frozen_anew(owed: World) -> None:
    owed.bank_account()
    batch = frozen(owed)
    owed.bank_account(iban=OTHER_IBAN)
    owed.let_accounts_age()
    approve = pb.ApprovePayoutBatchRequest(name=batch.name)
    assert refused(lambda: owed.approver.batches.ApprovePayoutBatch(approve)) == "PAYEE_ACCOUNT_CHANGED"
    owed.payer.batches.FreezePayoutBatch(pb.FreezePayoutBatchRequest(name=batch.name))
    with transaction(owed.app) as tx:  # the day has passed in between
        tx.execute(text("UPDATE payout_batches SET execution_date = current_date - 1"))
    assert refused(lambda: owed.approver.batches.ApprovePayoutBatch(approve)) == "EXECUTION_DATE_PAST"
    with transaction(owed.app) as tx:
        tx.execute(text("UPDATE payout_batches SET execution_date = current_date"))
    assert owed.approver.batches.ApprovePayoutBatch(approve).payouts[0].iban.startswith("NL")


def test_the_bank_file_is_valid(owed: World) -> None:
    owed.bank_account()
    batch = frozen(owed)
    owed.approver.batches.ApprovePayoutBatch(pb.ApprovePayoutBatchRequest(name=batch.name))
    content = owed.payer.batches.GetBankFile(pb.GetBankFileRequest(name=batch.name)).data
    schema = etree.XMLSchema(etree.parse(str(files("sepaxml") / "schemas" / "pain.001.001.09.xsd")))
    document = etree.fromstring(content)
    schema.assertValid(document)
    amounts = [e.text for e in document.iter("{*}InstdAmt")]
    assert amounts == ["1000.00"]
    again = owed.payer.batches.GetBankFile(pb.GetBankFileRequest(name=batch.name)).data
    assert again == content


def test_a_batch_names_what_is_wrong_with_it(owed: World) -> None:
    batch = pb.PayoutBatch(execution_date=day_message(owed.today), debtor_name="PES", debtor_iban="DE00" * 5)
    request = pb.CreatePayoutBatchRequest(payout_batch=batch)
    assert "payout_batch.debtor_iban" in violations_of(lambda: owed.payer.batches.CreatePayoutBatch(request))
    request.payout_batch.execution_date.month = 13
    assert "payout_batch.execution_date" in violations_of(
        lambda: owed.payer.batches.CreatePayoutBatch(request)
    )
    yesterday = day_message(owed.today - timedelta(days=1))
    late = pb.PayoutBatch(execution_date=yesterday, debtor_name="PES", debtor_iban=OTHER_IBAN)
    request = pb.CreatePayoutBatchRequest(payout_batch=late)
    assert refused(lambda: owed.payer.batches.CreatePayoutBatch(request)) == "EXECUTION_DATE_PAST"
    past = hold_pb2.Hold(target="courses/x", reason="late")
    past.end_time.FromSeconds(1)
    hold = hold_pb2.PlaceHoldRequest(hold=past)
    assert "hold.end_time" in violations_of(lambda: owed.payer.holds.PlaceHold(hold))
