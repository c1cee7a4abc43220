"""Investors who have an organisation are repaid by the bank, and it counts once the bank has confirmed it."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from lxml import etree
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2, hold_pb2, payable_pb2, payout_batch_pb2
from waymark.vouchers.v1 import outcome_contract_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.store import outcomes, payables
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_bank_results import import_, sent
from tests.integration.vouchers.test_outcome_contracts import enrol, intact, place, release, repayment
from tests.integration.vouchers.test_payables import approve as approve_batch
from tests.integration.vouchers.test_payables import batch, freeze, listed
from tests.support.bank import Booking, Status, camt054, pain002
from tests.support.instruments import active_bond, bond
from tests.support.meetings import Meanwhile
from tests.support.quality import told
from tests.support.refusals import detail_of
from tests.support.vouchers import OTHER_IBAN, World, cents, eur

Contract, Batch, Payable = pb.OutcomeContract, payout_batch_pb2.PayoutBatch, payable_pb2.Payable
FUNDER, CLEARED, BANK = 1, 6, 7
FUND, CHURCH = "organisations/fund", "organisations/church"
TO_FUND, TO_CHURCH = 53_810, 35_873  # unspent 30 001 and 20 000, for results 23 809 and 15 873


def repaid(world: World, *organisations: str, **changes: Any) -> Any:
    """Returns a contract whose investors are paid at these organisations, its repayment approved."""
    investors = bond(world).investors
    for investor, organisation in zip(investors, organisations, strict=True):
        world.accredit(organisation, accredited=False)
        investor.organisation = organisation
    world.bond = active_bond(world, investors=investors, **changes).name
    people = enrol(world, world.bond, 10)
    release(world, world.bond, "start")
    place(world, world.bond, people[:5])
    world.payer.contracts.ProposeRepayment(pb.ProposeRepaymentRequest(name=world.bond))
    return world.approver.contracts.ApproveRepayment(pb.ApproveRepaymentRequest(name=world.bond))


@pytest.fixture
def due(world: World) -> Any:
    """A world in which two investors are to be repaid at organisations that have accounts."""
    made: Any = world
    made.approved = repaid(world, FUND, CHURCH)
    world.bank_account(FUND)
    world.bank_account(CHURCH)
    return made


def state(world: World) -> int:
    """Returns where the contract stands."""
    request = pb.GetOutcomeContractRequest(name=world.bond)
    return int(world.auditor.contracts.GetOutcomeContract(request).state)


def outstanding(world: World) -> list[int]:
    """Returns what does not count as repaid yet, of all and by investor."""
    found = repayment(world, world.bond)
    return [cents(each.outstanding) for each in (found, *found.investors)]


def said(world: World, message: str, batch_: Any, organisation: str, back: bool = False) -> Any:
    """Takes in the bank's word on the payment to an organisation."""
    (payment,) = (each for each in batch_.payouts if each.organisation == organisation)
    booking = Booking(payment.end_to_end_id, cents(payment.amount), back=back, reason="AC04" if back else "")
    return import_(world, camt054(message, [booking], account=OTHER_IBAN))


def paid_out(world: World) -> Any:
    """Returns a batch of payables that the bank has."""
    return sent(world, kind=Batch.KIND_PAYABLES)


def test_it_reaches_the_bank_and_counts_once_the_bank_has_confirmed_it(due: Any) -> None:
    assert [each.organisation for each in due.approved.investors] == [FUND, CHURCH]
    assert [cents(each.outstanding) for each in due.approved.investors] == [TO_FUND, TO_CHURCH]
    assert due.approved == repayment(due, due.bond)
    assert state(due) == Contract.STATE_REPAYMENT_APPROVED
    found = {(each.subject, each.organisation, cents(each.amount)) for each in listed(due)}
    assert found == {
        (f"{due.bond}/investors/1", FUND, TO_FUND),
        (f"{due.bond}/investors/2", CHURCH, TO_CHURCH),
    }
    balances = due.balances()  # the payer gave 396.82 for results; no investor has anything back
    assert (balances[FUNDER], balances[CLEARED], balances[BANK]) == (-139_683, 89_683, 50_000)
    went = paid_out(due)
    file = due.payer.batches.GetBankFile(payout_batch_pb2.GetBankFileRequest(name=went.name)).data
    amounts = [each.findtext(".//{*}InstdAmt") for each in etree.fromstring(file).iter("{*}CdtTrfTxInf")]
    assert sorted(amounts) == ["358.73", "538.10"]
    assert (due.balances()[FUNDER], due.balances()[BANK]) == (-139_683, 139_683)
    assert outstanding(due) == [89_683, TO_FUND, TO_CHURCH]
    assert intact(due)
    said(due, "OUT-1", went, FUND)
    assert (outstanding(due), state(due)) == ([TO_CHURCH, 0, TO_CHURCH], Contract.STATE_REPAYMENT_APPROVED)
    assert due.balances()[FUNDER] == TO_FUND - 139_683
    assert told(due, events_pb2.OutcomeContractRepaid) == []
    assert intact(due)
    said(due, "OUT-2", went, CHURCH)
    assert (outstanding(due), state(due)) == ([0, 0, 0], Contract.STATE_REPAID)
    assert (due.balances()[FUNDER], due.balances()[BANK]) == (-50_000, 50_000)
    assert {each.state for each in listed(due)} == {Payable.STATE_REPAID}
    (event,) = told(due, events_pb2.OutcomeContractRepaid)
    assert (cents(event.repaid), cents(event.unspent)) == (39_682, 50_001)
    assert intact(due)


def test_a_status_report_of_the_whole_file_confirms_it_too(due: Any) -> None:
    went = paid_out(due)
    statuses = [Status(each.end_to_end_id, "ACSC", cents=cents(each.amount)) for each in went.payouts]
    import_(due, pain002("S-1", statuses))
    assert state(due) == Contract.STATE_REPAID
    assert intact(due)


def test_what_the_bank_rejects_is_not_repaid_and_is_paid_again(due: Any) -> None:
    went = paid_out(due)
    said(due, "BACK-1", went, FUND, back=True)
    said(due, "OUT-1", went, CHURCH)
    assert (outstanding(due), state(due)) == ([TO_FUND, TO_FUND, 0], Contract.STATE_REPAYMENT_APPROVED)
    balances = due.balances()
    assert (balances[FUNDER], balances[CLEARED], balances[BANK]) == (TO_CHURCH - 139_683, TO_FUND, 50_000)
    assert intact(due)
    said(due, "OUT-2", paid_out(due), FUND)
    assert (outstanding(due), state(due)) == ([0, 0, 0], Contract.STATE_REPAID)
    assert intact(due)


def test_what_the_bank_takes_back_after_confirming_it_no_longer_counts(due: Any) -> None:
    went = paid_out(due)
    said(due, "OUT-1", went, FUND)
    said(due, "OUT-2", went, CHURCH)
    assert state(due) == Contract.STATE_REPAID
    said(due, "BACK-1", went, FUND, back=True)
    assert (outstanding(due), state(due)) == ([TO_FUND, TO_FUND, 0], Contract.STATE_REPAYMENT_APPROVED)
    balances = due.balances()
    assert (balances[FUNDER], balances[CLEARED], balances[BANK]) == (-50_000 - TO_FUND, TO_FUND, 50_000)
    assert intact(due)
    said(due, "OUT-3", paid_out(due), FUND)
    assert state(due) == Contract.STATE_REPAID
    assert len(told(due, events_pb2.OutcomeContractRepaid)) == 2
    assert intact(due)


def test_of_two_investors_one_is_paid_outside_as_before(world: World) -> None:
    repaid(world, FUND, "")
    assert outstanding(world) == [TO_FUND, TO_FUND, 0]
    assert world.balances()[FUNDER] == TO_CHURCH - 139_683  # counts at once
    world.bank_account(FUND)
    said(world, "OUT-1", paid_out(world), FUND)
    assert state(world) == Contract.STATE_REPAID
    assert world.balances()[FUNDER] == -50_000
    assert intact(world)


def test_investors_of_one_organisation_get_one_payment(world: World) -> None:
    repaid(world, FUND, FUND)
    world.bank_account(FUND)
    went = paid_out(world)
    (payment,) = went.payouts
    assert (cents(payment.amount), payment.payable_count) == (TO_FUND + TO_CHURCH, 2)
    said(world, "OUT-1", went, FUND)
    assert (outstanding(world), state(world)) == ([0, 0, 0], Contract.STATE_REPAID)
    assert intact(world)


def test_who_has_nothing_back_waits_for_no_bank(world: World) -> None:
    all_of_it = [
        pb.Milestone(code="start", measure=pb.Milestone.MEASURE_ENROLLED, threshold=10, amount=eur(100_001))
    ]
    nothing = [pb.RepaymentStep(result_basis_points=0, repay_basis_points=0)]
    repaid(world, FUND, CHURCH, milestones=all_of_it, repayment_steps=nothing)
    assert (listed(world), state(world)) == ([], Contract.STATE_REPAID)
    assert len(told(world, events_pb2.OutcomeContractRepaid)) == 1
    assert intact(world)


def test_a_hold_on_the_payee_stops_it_alone(due: Any) -> None:
    first = freeze(due, batch(due).name).name
    hold = hold_pb2.Hold(target=FUND, reason="a court asks")
    due.payer.holds.PlaceHold(hold_pb2.PlaceHoldRequest(hold=hold))
    assert refused(lambda: approve_batch(due, first)) == "PAYOUT_HELD"
    frozen = freeze(due, first)
    assert [each.organisation for each in frozen.payouts] == [CHURCH]
    assert approve_batch(due, first).state == Batch.STATE_APPROVED
    assert outstanding(due) == [89_683, TO_FUND, TO_CHURCH]
    assert intact(due)


def test_an_organisation_that_nobody_knows_is_refused_by_name(world: World) -> None:
    draft = bond(world)
    draft.investors[1].organisation = CHURCH
    request = pb.CreateOutcomeContractRequest(outcome_contract=draft)
    with pytest.raises(grpc.RpcError) as raised:
        world.maker.contracts.CreateOutcomeContract(request)
    info = detail_of(raised.value, error_details_pb2.ErrorInfo)
    assert (info.reason, info.metadata["organisation"]) == ("NOT_FOUND", CHURCH)
    world.accredit(CHURCH, accredited=False)
    made = world.maker.contracts.CreateOutcomeContract(request)
    assert [each.organisation for each in made.investors] == ["", CHURCH]
    request.outcome_contract.investors[1].organisation = "church"
    assert refused(lambda: world.maker.contracts.CreateOutcomeContract(request)) == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "tampered",
    [
        "UPDATE payables SET cents = cents + 1 WHERE state = 3",
        "UPDATE payables SET cents = cents + 1 WHERE state = 4",
        "UPDATE payables SET state = 4 WHERE state = 3",
        "UPDATE payables SET state = 3 WHERE state = 4",
        "UPDATE payables SET state = 1, batch_id = NULL",
    ],
)
def test_verification_sees_a_payment_that_somebody_changed(due: Any, tampered: str) -> None:
    said(due, "OUT-1", paid_out(due), FUND)
    assert intact(due)
    with transaction(due.app) as tx:
        tx.execute(text(tampered))
    assert {finding.kind for finding in due.verify().findings} == {"BALANCE"}


def race(world: Any, monkeypatch: pytest.MonkeyPatch, patience: float) -> Meanwhile:
    """Takes in the bank's word on one of two payments while that on the other stands between reading what is
    outstanding and writing; returns the other."""
    batches = {}
    for organisation in (FUND, CHURCH):
        world.bank_account(organisation)  # the only payee with an account that still waits
        batches[organisation] = paid_out(world)
    other = Meanwhile(
        monkeypatch, payables, "of_subjects", lambda: said(world, "OUT-2", batches[CHURCH], CHURCH), patience
    )
    said(world, "OUT-1", batches[FUND], FUND)
    return other


def test_of_two_words_at_once_the_last_sees_that_all_is_repaid(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    repaid(world, FUND, CHURCH)
    assert race(world, monkeypatch, 1).answer.applied_count == 1
    assert (outstanding(world), state(world)) == ([0, 0, 0], Contract.STATE_REPAID)
    assert intact(world)


def test_control_without_the_lock_neither_sees_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    repaid(world, FUND, CHURCH)
    monkeypatch.setattr(outcomes, "lock", outcomes.get)
    assert race(world, monkeypatch, 30).answer.applied_count == 1
    assert (outstanding(world), state(world)) == ([0, 0, 0], Contract.STATE_REPAYMENT_APPROVED)
