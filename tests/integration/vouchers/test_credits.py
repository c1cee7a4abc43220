"""What providers pay back by transfer is matched by its reference: once, and no more than is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.vouchers.v1 import bank_report_pb2, events_pb2, payment_share_pb2, payout_batch_pb2
from waymark.vouchers.v1 import receivable_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import crediting
from services.vouchers.domain.creditor_reference import reference_of
from services.vouchers.store import receivables
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_bank_results import entries, import_
from tests.integration.vouchers.test_claw_back import (
    BANK,
    RECEIVABLE,
    balances,
    claw_back,
    intact,
    listed,
    owe_more,
    owed,
    paid,
)
from tests.support import quality
from tests.support.bank import NONE, Booking, camt054
from tests.support.meetings import Meeting
from tests.support.vouchers import OTHER_IBAN, World, cents, eur

__all__ = ["owed", "paid"]
Entry = bank_report_pb2.BankReportEntry
E = "NOTPROVIDED"


@pytest.fixture
def debt(paid: World) -> Any:
    """What the school owes back: 800 euro, already paid to it."""
    claw_back(paid, 80_000)
    return listed(paid)[0]


def credit(amount: int, written: str, own: str = "C-1", **options: Any) -> Booking:
    return Booking(E, amount, written=written, own=own, **options)


def credited(world: World, message: str, *bookings: Booking) -> tuple[Any, list[Any]]:
    """Takes in a file of these credits; returns the report and what came of each."""
    report = import_(world, camt054(message, bookings, account=OTHER_IBAN))
    return report, entries(world, report)


def left(world: World, name: str) -> int:
    request = pb.GetReceivableRequest(name=name)
    return cents(world.auditor.receivables.GetReceivable(request).outstanding)


def told(world: World) -> list[tuple[int, int, int, bool]]:
    """Returns what was told of payments: booked, left, beyond, undone."""
    return [
        (cents(each.amount), cents(each.outstanding), cents(each.excess), each.undone)
        for each in quality.told(world, events_pb2.ReceivablePaid)
    ]


def test_a_transfer_that_names_the_demand_pays_it_however_often_it_is_told(paid: World, debt: Any) -> None:
    (demand,) = quality.told(paid, events_pb2.RedemptionClawedBack)
    assert (demand.receivable, cents(demand.owed)) == (debt.name, 80_000)
    assert demand.payment_reference == debt.payment_reference
    first = credit(30_000, debt.payment_reference, structured=True)
    report, (part,) = credited(paid, "N-1", first)
    assert (part.outcome, part.verdict) == (Entry.OUTCOME_APPLIED, Entry.VERDICT_RECEIVED)
    assert (part.receivable, part.organisation) == (debt.name, paid.organisation)
    assert part.creditor_reference == debt.payment_reference.replace(" ", "")
    assert (report.applied_count, report.open_count) == (1, 0)
    assert balances(paid, BANK, RECEIVABLE) == [70_000, -50_000]
    again, _ = credited(paid, "N-1", first)
    assert again == report
    other, (same,) = credited(paid, "N-2", first)
    assert (same.outcome, other.applied_count) == (Entry.OUTCOME_REPEATED, 0)
    words = f"wrongly paid {debt.payment_reference.lower()}, sorry"  # cut in two lines by the bank
    _, (rest,) = credited(paid, "N-3", credit(50_000, words, "C-2"))
    assert rest.outcome == Entry.OUTCOME_APPLIED
    assert balances(paid, BANK, RECEIVABLE) == [20_000, 0]
    found = paid.auditor.receivables.GetReceivable(pb.GetReceivableRequest(name=debt.name))
    assert found.state == pb.Receivable.STATE_SETTLED
    assert [(each.bank_reference, each.matched) for each in found.payments] == [("C-1", True), ("C-2", True)]
    theirs = paid.provider.receivables.GetReceivable(pb.GetReceivableRequest(name=debt.name))
    assert theirs.payments == found.payments
    stranger = paid.person("provider", org="organisations/other")
    asked = pb.GetReceivableRequest(name=debt.name)
    assert refused(lambda: stranger.receivables.GetReceivable(asked)) == "NOT_FOUND"
    shares = paid.auditor.payment_shares.ListPaymentShares(payment_share_pb2.ListPaymentSharesRequest())
    assert [cents(each.amount) for each in shares.payment_shares] == [100_000, -30_000, -50_000]
    assert told(paid) == [(30_000, 50_000, 0, False), (50_000, 0, 0, False)]
    assert intact(paid)


def test_what_came_in_beyond_the_debt_is_told_and_not_booked(paid: World, debt: Any) -> None:
    report, (more,) = credited(paid, "N-1", credit(80_001, debt.payment_reference))
    assert (more.outcome, cents(more.excess)) == (Entry.OUTCOME_OVERPAID, 1)
    assert (report.applied_count, report.open_count) == (1, 1)
    again, _ = credited(paid, "N-1", credit(80_001, debt.payment_reference))
    assert again == report
    _, (whole,) = credited(paid, "N-2", credit(500, debt.payment_reference, "C-2"))
    assert (whole.outcome, cents(whole.excess)) == (Entry.OUTCOME_OVERPAID, 500)
    assert told(paid) == [(80_000, 0, 1, False), (0, 0, 500, False)]
    assert balances(paid, BANK, RECEIVABLE) == [20_000, 0]
    assert intact(paid)


def test_what_a_frozen_batch_sets_off_is_not_paid_twice(paid: World, debt: Any) -> None:
    owe_more(paid, 50_000)
    name = paid.batch().name
    paid.payer.batches.FreezePayoutBatch(payout_batch_pb2.FreezePayoutBatchRequest(name=name))
    _, (found,) = credited(paid, "N-1", credit(80_000, debt.payment_reference))
    assert (found.outcome, cents(found.excess)) == (Entry.OUTCOME_OVERPAID, 50_000)
    paid.approver.batches.ApprovePayoutBatch(payout_batch_pb2.ApprovePayoutBatchRequest(name=name))
    assert left(paid, debt.name) == 0
    assert intact(paid)


def test_what_cannot_be_told_is_shown_and_books_nothing(paid: World, debt: Any) -> None:
    claw_back(paid, 10_000)
    reference, other = (each.payment_reference for each in listed(paid))
    wrong = reference[:-1] + ("0" if reference[-1] != "0" else "1")  # the check digits say so
    nobody = reference_of("00000000-0000-7000-8000-000000000001")
    odd = [
        credit(80_000, wrong),
        credit(80_000, nobody),
        credit(80_000, f"{reference} and {other}"),
        credit(80_000, "thank you"),
        credit(80_000, reference, NONE),
        credit(80_000, reference, currency="SEK"),
        credit(80_000, reference, status="PDNG"),
    ]
    report, found = credited(paid, "N-1", *odd)
    unmatched, unclear = Entry.OUTCOME_UNMATCHED, Entry.OUTCOME_UNCLEAR
    others = [unclear, Entry.OUTCOME_DIFFERENT, Entry.OUTCOME_NOTED]
    assert [each.outcome for each in found] == [*[unmatched] * 4, *others]
    assert (report.applied_count, report.open_count) == (0, 6)
    assert balances(paid, RECEIVABLE) == [-90_000]
    assert told(paid) == []


def test_what_a_person_noted_is_not_counted_again_and_the_other_way_round(paid: World, debt: Any) -> None:
    note = pb.RecordReceivablePaymentRequest(name=debt.name, amount=eur(30_000), bank_reference="C-1")
    by_hand = paid.payer.receivables.RecordReceivablePayment(note)
    assert not by_hand.payments[0].matched
    _, (same,) = credited(paid, "N-1", credit(30_000, debt.payment_reference))
    assert same.outcome == Entry.OUTCOME_REPEATED
    credited(paid, "N-2", credit(20_000, debt.payment_reference, "C-2"))
    note.bank_reference, note.amount.units = "C-2", 200
    wrong = violations_of(lambda: paid.payer.receivables.RecordReceivablePayment(note))
    assert wrong["bank_reference"].endswith("which counts already")
    assert left(paid, debt.name) == 30_000
    matched = paid.auditor.receivables.GetReceivable(pb.GetReceivableRequest(name=debt.name)).payments[1]
    undo = pb.UndoReceivablePaymentRequest(name=matched.name)
    assert refused(lambda: paid.payer.receivables.UndoReceivablePayment(undo)) == "SAME_PERSON"
    paid.approver.receivables.UndoReceivablePayment(undo)
    _, (undone,) = credited(paid, "N-3", credit(20_000, debt.payment_reference, "C-2"))
    assert undone.outcome == Entry.OUTCOME_REPEATED  # somebody took it back
    assert told(paid)[-1] == (20_000, 50_000, 0, True)
    assert intact(paid)


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])
def test_a_credit_in_four_files_at_once_is_taken_once(
    paid: World, debt: Any, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    if not locked:
        meeting = Meeting(4)

        def unlocked(tx: Any, _: Any) -> Any:
            rows = tx.execute(select(receivables.receivables, receivables._ENDING.label("ending")))
            found = {row.ending: row for row in rows}
            meeting()
            return found

        monkeypatch.setattr(crediting.receivables, "lock_named", unlocked)
        monkeypatch.setattr(crediting.receivables, "taken", lambda *_: set())
        with transaction(paid.app) as tx:
            tx.execute(text("DROP INDEX receivable_payments_credit"))

    def one(number: int) -> int:
        return int(credited(paid, f"N-{number}", credit(20_000, debt.payment_reference))[0].applied_count)

    with ThreadPoolExecutor(4) as pool:
        applied = sum(pool.map(one, range(4)))
    assert (applied == 1) is locked
    assert (left(paid, debt.name) == 60_000 and len(told(paid)) == 1) is locked
