"""What was approved and is no redemption reaches the bank: two people, a file, the bank's word, once."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree
from sqlalchemy import text
from waymark.vouchers.v1 import employer_obligation_pb2, hold_pb2, payout_batch_pb2, statement_pb2
from waymark.vouchers.v1 import payable_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.store import payables as store
from tests.integration.vouchers.refusals import at_once, refused
from tests.integration.vouchers.test_bank_results import approved, import_, reference, sent
from tests.integration.vouchers.test_claw_back import claw_back
from tests.integration.vouchers.test_employer_obligations import approve as approve_trainees
from tests.integration.vouchers.test_employer_obligations import enrol
from tests.integration.vouchers.test_levies import approve as approve_claim
from tests.integration.vouchers.test_levies import months
from tests.integration.vouchers.test_outcome_contracts import enrol as take_part
from tests.integration.vouchers.test_outcome_contracts import release
from tests.support.bank import Booking, camt054
from tests.support.instruments import (
    YARD,
    account_of,
    active_bond,
    claim,
    employer_of,
    levy,
    obligation,
    wages,
)
from tests.support.meetings import Meeting
from tests.support.vouchers import NO_EVIDENCE, OTHER_IBAN, World, cents, day_message, eur, request_id

Line = statement_pb2.StatementLine
Batch, State = payout_batch_pb2.PayoutBatch, pb.Payable
LEVY, CLEARED, BANK = 10, 6, 7
YARD_IBAN = "BE68539007547034"


@pytest.fixture
def owed(world: World) -> Any:
    """A world in which the yard is owed 600 euro of its levy, and has an account."""
    made: Any = world
    wages(world, levy(world), *months(world, 2))
    made.account = account_of(world).name
    made.claim = approve_claim(world, claim(world, made.account, 60_000).name).name
    world.bank_account(YARD, YARD_IBAN)
    return made


def batch(world: World) -> Any:
    """Opens a batch of payables."""
    return world.batch(kind=Batch.KIND_PAYABLES)


def freeze(world: World, name: str) -> Any:
    """Fixes a batch."""
    return world.payer.batches.FreezePayoutBatch(payout_batch_pb2.FreezePayoutBatchRequest(name=name))


def approve(world: World, name: str, who: Any = None) -> Any:
    """Approves a batch."""
    request = payout_batch_pb2.ApprovePayoutBatchRequest(name=name)
    return (who or world.approver).batches.ApprovePayoutBatch(request)


def listed(world: World, who: Any = None, **filters: Any) -> list[Any]:
    """Lists payables, newest first."""
    return list((who or world.auditor).payables.ListPayables(pb.ListPayablesRequest(**filters)).payables)


def assert_on_statement(owed: Any, batch_name: str) -> None:
    """The payee's own statement has the claim when it was approved, and when it was paid."""
    today = day_message(owed.today)
    period: dict[str, Any] = {"parent": YARD, "start_date": today, "end_date": today}
    yard = employer_of(owed)
    lines = yard.statements.ListStatementLines(statement_pb2.ListStatementLinesRequest(**period)).lines
    assert [(each.kind, cents(each.amount), each.subject, each.payout_batch) for each in lines] == [
        (Line.KIND_APPROVED, 60_000, owed.claim, ""),
        (Line.KIND_PAID, 60_000, owed.claim, batch_name),
    ]
    assert {each.redemption for each in lines} == {""}
    found = yard.statements.GetStatement(statement_pb2.GetStatementRequest(**period))
    assert (cents(found.approved), cents(found.paid), cents(found.closing_cleared)) == (60_000, 60_000, 0)
    other = owed.person("employer", org="organisations/mill")
    ask = statement_pb2.GetStatementRequest(**period)
    assert refused(lambda: other.statements.GetStatement(ask)) == "NOT_FOUND"


def test_an_approved_levy_claim_reaches_the_bank_by_two_people(owed: Any) -> None:
    (waiting,) = listed(owed)
    assert (waiting.subject, waiting.organisation, cents(waiting.amount)) == (owed.claim, YARD, 60_000)
    assert (waiting.state, waiting.payout_batch) == (State.STATE_WAITING, "")
    opened = batch(owed)
    assert (opened.kind, cents(opened.total)) == (Batch.KIND_PAYABLES, 60_000)
    assert [(each.organisation, each.payable_count) for each in opened.payouts] == [(YARD, 1)]
    frozen = freeze(owed, opened.name)
    assert refused(lambda: approve(owed, opened.name, owed.payer)) == "SAME_PERSON"
    assert owed.balances()[CLEARED] == 60_000
    assert approve(owed, opened.name).state == Batch.STATE_APPROVED
    balances = owed.balances()
    assert (balances[LEVY], balances[BANK]) == (30_000, 60_000)
    assert CLEARED not in balances
    file = owed.payer.batches.GetBankFile(payout_batch_pb2.GetBankFileRequest(name=opened.name)).data
    assert_on_statement(owed, opened.name)
    (transfer,) = etree.fromstring(file).iter("{*}CdtTrfTxInf")
    assert transfer.findtext(".//{*}InstdAmt") == "600.00"
    assert transfer.findtext(".//{*}CdtrAcct//{*}IBAN") == YARD_IBAN
    assert transfer.findtext(".//{*}EndToEndId") == reference(frozen)
    (paid,) = listed(owed)
    assert (paid.state, paid.payout_batch) == (State.STATE_PAID, opened.name)
    assert owed.auditor.payables.GetPayable(pb.GetPayableRequest(name=paid.name)) == paid
    assert refused(lambda: batch(owed)) == "NOTHING_TO_PAY"
    assert owed.verify().intact


def test_what_the_bank_returns_is_paid_again(owed: Any) -> None:
    first = sent(owed, kind=Batch.KIND_PAYABLES)
    back = [Booking(reference(first), 60_000, back=True, reason="AC04")]
    assert import_(owed, camt054("BACK-1", back, account=OTHER_IBAN)).applied_count == 1
    assert [each.state for each in listed(owed)] == [State.STATE_WAITING]
    assert owed.balances()[CLEARED] == 60_000
    assert owed.verify().intact
    second = sent(owed, kind=Batch.KIND_PAYABLES)
    out = [Booking(reference(second), 60_000)]
    assert import_(owed, camt054("OUT-1", out, account=OTHER_IBAN)).applied_count == 1
    (paid,) = listed(owed)
    assert (paid.state, paid.payout_batch) == (State.STATE_PAID, second.name)
    read = payout_batch_pb2.GetPayoutBatchRequest
    states = [owed.auditor.batches.GetPayoutBatch(read(name=each.name)).state for each in (first, second)]
    assert states == [Batch.STATE_RETURNED, Batch.STATE_CONFIRMED]
    assert owed.balances()[BANK] == 60_000
    assert owed.verify().intact


def test_a_tranche_goes_to_the_operator_and_a_training_to_its_provider(world: World) -> None:
    bond = active_bond(world, operator="organisations/becode").name
    take_part(world, bond, 10)
    release(world, bond, "start")
    promise = obligation(world).name
    request = employer_obligation_pb2.EnrolTraineesRequest(
        parent=promise,
        learners=["learners/somebody"],
        cost=eur(70_000),
        provider=world.organisation,
        request_id=request_id(),
    )
    trainees = list(world.caseworker.obligations.EnrolTrainees(request).trainees)
    assert trainees[0].provider == world.organisation
    approve_trainees(world, promise, trainees)
    found = {(each.subject, each.organisation, cents(each.amount)) for each in listed(world)}
    assert found == {
        (f"{bond}/milestones/start", "organisations/becode", 50_000),
        (trainees[0].name, world.organisation, 70_000),
    }
    world.bank_account()
    opened = batch(world)
    assert list(opened.skipped_organisations) == ["organisations/becode"]  # it has no account yet
    freeze(world, opened.name)
    approve(world, opened.name)
    world.bank_account("organisations/becode", OTHER_IBAN)
    assert cents(sent(world, kind=Batch.KIND_PAYABLES).total) == 50_000
    assert world.balances()[BANK] == 120_000
    assert world.verify().intact


def test_without_a_payee_it_is_paid_outside_as_before(world: World) -> None:
    bond = active_bond(world).name
    take_part(world, bond, 10)
    release(world, bond, "start")
    promise = obligation(world).name
    approve_trainees(world, promise, enrol(world, promise, 1, cost=70_000))
    assert listed(world) == []
    assert world.balances()[BANK] == 120_000
    assert world.verify().intact


def test_redemptions_and_payables_are_paid_by_batches_of_their_own(owed: Any) -> None:
    owed.bank_account()
    owed.accepted(*owed.voucher(owed.programme(**NO_EVIDENCE)))
    payables, redemptions = batch(owed), owed.batch()
    assert (cents(payables.total), cents(redemptions.total)) == (60_000, 100_000)
    assert redemptions.payouts[0].redemption_count == 1
    assert not redemptions.payouts[0].payable_count


def test_nothing_is_set_off_against_it(owed: Any) -> None:
    owed.bank_account()
    owed.redemption = owed.accepted(*owed.voucher(owed.programme(**NO_EVIDENCE)))
    approved(owed)
    claw_back(owed, 40_000)  # the school owes that back
    with transaction(owed.app) as tx:
        tx.execute(text("UPDATE payables SET organisation = :school"), {"school": owed.organisation})
    opened = freeze(owed, batch(owed).name)
    assert (cents(opened.total), cents(opened.payouts[0].set_off)) == (60_000, 0)


@pytest.mark.parametrize(("target", "stops"), [(YARD, True), ("organisations/mill", False)])
def test_a_hold_on_the_payee_stops_it(owed: Any, target: str, stops: bool) -> None:
    first = batch(owed).name
    owed.accredit("organisations/mill")
    hold = hold_pb2.Hold(target=target, reason="looks fictitious")
    frozen = freeze(owed, first)
    owed.payer.holds.PlaceHold(hold_pb2.PlaceHoldRequest(hold=hold))
    if not stops:  # the control
        assert approve(owed, frozen.name).state == Batch.STATE_APPROVED
        return
    assert refused(lambda: approve(owed, first)) == "PAYOUT_HELD"
    empty = freeze(owed, first)
    assert (empty.state, list(empty.payouts)) == (Batch.STATE_OPEN, [])
    assert listed(owed)[0].state == State.STATE_WAITING
    assert refused(lambda: freeze(owed, first)) == "NOTHING_TO_PAY"
    assert refused(lambda: batch(owed)) == "NOTHING_TO_PAY"


def gather(world: Any) -> None:
    """Opens a batch that pays the yard."""
    assert batch(world).payouts[0].organisation == YARD


def test_of_two_batches_at_once_one_has_it(owed: Any) -> None:
    assert at_once(lambda: gather(owed), 2) == {"": 1, "NOTHING_TO_PAY": 1}


def test_control_without_the_lock_both_have_it(owed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = Meeting(2)

    def unlocked(tx: Any, currency: str, limit: int) -> Any:
        found = list(tx.execute(store._ROW.where(store._p.state == store.WAITING)))
        meeting()
        return found

    monkeypatch.setattr(store, "cleared", unlocked)
    assert at_once(lambda: gather(owed), 2) == {"": 2}


def test_a_payee_sees_its_own_and_proposes_its_account(owed: Any) -> None:
    yard, mill = employer_of(owed), owed.person("employer", org="organisations/mill")
    assert [each.subject for each in listed(owed, yard, organisation=YARD)] == [owed.claim]
    assert refused(lambda: listed(owed, mill, organisation=YARD)) == "NOT_FOUND"
    assert refused(lambda: listed(owed, yard)) == "NOT_FOUND"
    assert listed(owed, organisation="organisations/mill") == []
    assert listed(owed, state=State.STATE_PAID) == []


def test_verification_sees_an_amount_that_somebody_changed(owed: Any) -> None:
    assert owed.verify().intact
    with transaction(owed.app) as tx:
        tx.execute(text("UPDATE payables SET cents = cents + 1"))
    assert {finding.kind for finding in owed.verify().findings} == {"BALANCE"}
