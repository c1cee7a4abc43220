"""What the bank says of payments: matched, taken in once, and money that came back is owed and paid again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.vouchers.v1 import bank_report_pb2 as pb
from waymark.vouchers.v1 import payout_batch_pb2, redemption_pb2

from services.platform.db.transaction import transaction
from services.vouchers import verification
from services.vouchers.store import bank_reports
from services.vouchers.store.settlement_tables import payout_batches
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.bank import Booking, Status, camt054, pain002
from tests.support.meetings import Meeting
from tests.support.vouchers import IBAN, NO_EVIDENCE, OTHER_IBAN, World, cents

State = payout_batch_pb2.PayoutBatch
Entry = pb.BankReportEntry


def import_(world: World, content: bytes, **options: Any) -> Any:
    """Takes in a file of the bank."""
    return world.payer.bank_reports.ImportBankReport(pb.ImportBankReportRequest(content=content, **options))


def entries(world: World, report: Any, outcome: int = 0) -> list[Any]:
    """Returns what a file says and what came of it."""
    request = pb.ListBankReportEntriesRequest(parent=report.name, outcome=outcome)
    return list(world.auditor.bank_reports.ListBankReportEntries(request).entries)


def read(world: World, batch: Any) -> Any:
    """Reads a batch."""
    return world.auditor.batches.GetPayoutBatch(payout_batch_pb2.GetPayoutBatchRequest(name=batch.name))


def approved(world: World, **changes: Any) -> Any:
    """Returns an approved batch of what is owed."""
    name = world.batch(**changes).name
    world.payer.batches.FreezePayoutBatch(payout_batch_pb2.FreezePayoutBatchRequest(name=name))
    return world.approver.batches.ApprovePayoutBatch(payout_batch_pb2.ApprovePayoutBatchRequest(name=name))


def sent(world: World, **changes: Any) -> Any:
    """Returns a batch that the bank has."""
    batch = approved(world, **changes)
    if batch.total.units or batch.total.nanos:
        world.payer.batches.GetBankFile(payout_batch_pb2.GetBankFileRequest(name=batch.name))
    request = payout_batch_pb2.MarkPayoutBatchSentRequest(name=batch.name)
    return world.payer.batches.MarkPayoutBatchSent(request)


def reference(batch: Any, place: int = 0) -> str:
    """Returns the reference of a payment."""
    return str(batch.payouts[place].end_to_end_id)


def message_id(batch: Any) -> str:
    """Returns the message id of a batch's file."""
    return str(batch.name.rpartition("/")[2].replace("-", "").upper())


def told(world: World) -> list[str]:
    """Returns the events about payments, in order."""
    with transaction(world.app) as tx:
        types = "SELECT type FROM outbox WHERE type LIKE '%.Payout%' ORDER BY seq"
        return [name.rpartition(".")[2] for name in tx.execute(text(types)).scalars()]


@pytest.fixture
def owed(world: World) -> World:
    """A world in which the school has an account and is owed 1 000 euro."""
    world.redemption = world.accepted(*world.voucher(world.programme(**NO_EVIDENCE)))
    world.bank_account()
    return world


@pytest.fixture
def two(owed: World) -> World:
    """A world in which a second school is owed 1 000 euro too."""
    owed.accredit("organisations/else")
    owed.session = owed.offer("courses/else", organisation="organisations/else")
    learner, voucher = owed.voucher(owed.programme(**NO_EVIDENCE))
    owed.provider = owed.person("provider", org="organisations/else")
    owed.accepted(learner, voucher)
    owed.bank_account("organisations/else")
    return owed


def test_a_payment_is_confirmed_once_whatever_comes_again(owed: World) -> None:
    batch = sent(owed)
    file = pain002("S-1", [Status(reference(batch), "ACSC", cents=100_000)])
    report = import_(owed, file)
    assert (report.entry_count, report.applied_count, report.open_count) == (1, 1, 0)
    (entry,) = entries(owed, report)
    assert (entry.outcome, entry.verdict, entry.code) == (
        Entry.OUTCOME_APPLIED,
        Entry.VERDICT_CONFIRMED,
        "ACSC",
    )
    assert (entry.payout_batch, entry.organisation) == (batch.name, owed.organisation)
    after = read(owed, batch)
    assert after.state == State.STATE_CONFIRMED == after.payouts[0].state
    assert after.settle_time == after.payouts[0].result_time
    assert import_(owed, file) == report
    other = import_(owed, camt054("N-1", [Booking(reference(batch), 100_000)], account=OTHER_IBAN))
    assert [each.outcome for each in entries(owed, other)] == [Entry.OUTCOME_REPEATED]
    assert told(owed) == ["PayoutBatchApproved", "PayoutBatchSent", "PayoutConfirmed"]
    assert read(owed, batch) == after
    listed = owed.auditor.bank_reports.ListBankReports(pb.ListBankReportsRequest())
    assert [each.message_id for each in listed.bank_reports] == ["N-1", "S-1"]
    get = pb.GetBankReportRequest(name=report.name)
    assert owed.auditor.bank_reports.GetBankReport(get) == report


def test_a_returned_payment_is_owed_again_and_paid_to_another_account(owed: World) -> None:
    batch = sent(owed)
    import_(owed, pain002("S-1", [Status(reference(batch))]))
    assert owed.balances()[7] == 100_000
    file = camt054("N-1", [Booking(reference(batch), 100_000, back=True, reason="AC04")], account=OTHER_IBAN)
    assert import_(owed, file).applied_count == 1
    returned = read(owed, batch)
    assert returned.state == State.STATE_RETURNED == returned.payouts[0].state
    assert returned.payouts[0].return_code == "AC04"
    get = redemption_pb2.GetRedemptionRequest(name=owed.redemption.name)
    again = owed.provider.redemptions.GetRedemption(get)
    assert again.state == redemption_pb2.Redemption.STATE_ACCEPTED
    assert (owed.balances().get(7, 0), owed.balances()[6]) == (0, 100_000)
    for content in (file, pain002("S-2", [Status(reference(batch), "RJCT", "AC04")])):
        assert import_(owed, content).applied_count == (1 if content == file else 0)
    owed.bank_account(iban="DE89370400440532013000")
    owed.let_accounts_age()
    second = sent(owed)
    assert reference(second) != reference(batch)
    assert cents(second.total) == 100_000
    file = owed.payer.batches.GetBankFile(payout_batch_pb2.GetBankFileRequest(name=second.name)).data
    assert b"DE89370400440532013000" in file
    import_(owed, camt054("N-2", [Booking(reference(second), 100_000)], account=OTHER_IBAN))
    assert read(owed, second).state == State.STATE_CONFIRMED
    assert read(owed, batch).state == State.STATE_RETURNED
    assert owed.balances()[7] == 100_000
    report = owed.verify()
    assert report.intact, report.findings
    assert told(owed)[:4] == ["PayoutBatchApproved", "PayoutBatchSent", "PayoutConfirmed", "PayoutReturned"]


def test_each_payment_has_its_own_end_and_the_batch_waits_for_all(two: World) -> None:
    batch = sent(two)
    import_(two, pain002("S-1", [Status(reference(batch, 0), "RJCT", "AC01")]))
    half = read(two, batch)
    assert [each.state for each in half.payouts] == [State.STATE_RETURNED, State.STATE_SENT]
    assert half.state == State.STATE_SENT
    assert not half.HasField("settle_time")
    import_(two, pain002("S-2", [Status(reference(batch, 1), "ACSP"), Status(reference(batch, 1), "ACSC")]))
    whole = read(two, batch)
    assert [each.state for each in whole.payouts] == [State.STATE_RETURNED, State.STATE_CONFIRMED]
    assert whole.state == State.STATE_CONFIRMED
    assert two.balances()[7] == two.balances()[6] == 100_000
    assert two.verify().intact


def test_a_batch_booked_or_rejected_as_a_whole(two: World) -> None:
    batch = sent(two)
    both = [Booking("", 100_000), Booking("", 100_000)]
    wrong = import_(two, camt054("N-0", both[:1], account=OTHER_IBAN, batch=message_id(batch)))
    assert [each.outcome for each in entries(two, wrong)] == [Entry.OUTCOME_DIFFERENT]
    booked = import_(two, camt054("N-1", both, account=OTHER_IBAN, batch=message_id(batch)))
    assert [(each.outcome, each.organisation) for each in entries(two, booked)] == [
        (Entry.OUTCOME_APPLIED, "")
    ]
    assert {each.state for each in read(two, batch).payouts} == {State.STATE_CONFIRMED}
    late = import_(two, pain002("S-1", group="RJCT", original=message_id(batch)))
    assert [each.outcome for each in entries(two, late)] == [Entry.OUTCOME_UNCLEAR]
    assert two.balances()[7] == 200_000


def test_a_file_rejected_as_a_whole_owes_everything_again(two: World) -> None:
    batch = sent(two)
    import_(two, pain002("S-1", group="RJCT", original=message_id(batch)))
    assert read(two, batch).state == State.STATE_RETURNED
    assert (two.balances().get(7, 0), two.balances()[6]) == (0, 200_000)
    assert two.verify().intact


def test_what_does_not_match_is_listed_and_changes_nothing(owed: World) -> None:
    batch = sent(owed)
    ref = reference(batch)
    wrong = [
        Booking("SOMEBODY-ELSE", 100_000),
        Booking(ref, 99_999),
        Booking(ref, 100_000, currency="SEK"),
        Booking(ref, 100_000, status="PDNG"),
    ]
    report = import_(owed, camt054("N-1", wrong, account=OTHER_IBAN))
    assert (report.entry_count, report.applied_count, report.open_count) == (4, 0, 3)
    assert [each.outcome for each in entries(owed, report)] == [
        Entry.OUTCOME_UNMATCHED,
        Entry.OUTCOME_DIFFERENT,
        Entry.OUTCOME_DIFFERENT,
        Entry.OUTCOME_NOTED,
    ]
    (unmatched,) = entries(owed, report, Entry.OUTCOME_UNMATCHED)
    assert (unmatched.end_to_end_id, cents(unmatched.amount)) == ("SOMEBODY-ELSE", 100_000)
    other = import_(owed, camt054("N-2", [Booking(ref, 100_000)], account=IBAN))
    assert [each.outcome for each in entries(owed, other)] == [Entry.OUTCOME_DIFFERENT]
    assert read(owed, batch).payouts[0].state == State.STATE_SENT


def test_a_file_before_the_batch_was_marked_as_sent_is_taken_in_again_later(owed: World) -> None:
    batch = approved(owed)
    file = camt054("N-1", [Booking(reference(batch), 100_000)], account=OTHER_IBAN)
    report = import_(owed, file)
    assert [each.outcome for each in entries(owed, report)] == [Entry.OUTCOME_NOT_SENT]
    assert report.open_count == 1
    owed.payer.batches.GetBankFile(payout_batch_pb2.GetBankFileRequest(name=batch.name))
    owed.payer.batches.MarkPayoutBatchSent(payout_batch_pb2.MarkPayoutBatchSentRequest(name=batch.name))
    again = import_(owed, file)
    assert (again.name, again.applied_count, again.open_count) == (report.name, 1, 0)
    assert read(owed, batch).state == State.STATE_CONFIRMED


def test_another_file_with_the_same_message_id_is_refused_and_nothing_of_it_stays(owed: World) -> None:
    batch = sent(owed)
    import_(owed, pain002("S-1", [Status("X")]))
    assert (
        refused(lambda: import_(owed, pain002("S-1", [Status(reference(batch))]))) == "BANK_REPORT_CONFLICT"
    )
    assert read(owed, batch).state == State.STATE_SENT


def test_a_broken_file_says_where_and_leaves_nothing(owed: World) -> None:
    batch = sent(owed)
    half = pain002("S-1", [Status(reference(batch)), Status("B")])[:-60]
    assert refused(lambda: import_(owed, half)) == "BANK_REPORT_INVALID"
    assert violations_of(lambda: import_(owed, half))["content"].startswith("line ")
    assert not owed.auditor.bank_reports.ListBankReports(pb.ListBankReportsRequest()).bank_reports
    assert read(owed, batch).state == State.STATE_SENT


def test_a_try_changes_nothing(owed: World) -> None:
    batch = sent(owed)
    file = pain002("S-1", [Status(reference(batch), "RJCT")])
    assert import_(owed, file, validate_only=True).applied_count == 1
    assert read(owed, batch).state == State.STATE_SENT
    assert not owed.auditor.bank_reports.ListBankReports(pb.ListBankReportsRequest()).bank_reports


def return_from_many(world: World, batch: Any) -> list[int]:
    """Takes in four different files with the same return at once; returns how many each applied."""
    files = [
        camt054(f"N-{number}", [Booking(reference(batch), 100_000, back=True)], account=OTHER_IBAN)
        for number in range(4)
    ]
    with ThreadPoolExecutor(4) as pool:
        return [report.applied_count for report in pool.map(lambda file: import_(world, file), files)]


def test_a_return_in_four_files_at_once_is_booked_once(owed: World) -> None:
    batch = sent(owed)
    assert sorted(return_from_many(owed, batch)) == [0, 0, 0, 1]
    assert (owed.balances().get(7, 0), owed.balances()[6]) == (0, 100_000)
    assert told(owed).count("PayoutReturned") == 1
    assert owed.verify().intact


def test_control_without_the_lock_on_the_batch_it_is_told_more_than_once(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = sent(owed)
    meeting, known = Meeting(4), bank_reports.payments_of

    def unlocked(tx: Any, *_: Any) -> Any:
        return {str(row.id): row for row in tx.execute(select(payout_batches))}

    def all_at_once(*call: Any) -> Any:
        found = known(*call)
        meeting()
        return found

    monkeypatch.setattr(bank_reports, "lock_batches", unlocked)
    monkeypatch.setattr(bank_reports, "payments_of", all_at_once)
    return_from_many(owed, batch)
    assert told(owed).count("PayoutReturned") > 1


PAID_BESIDE = (
    "UPDATE redemptions SET paid_cents = paid_cents - 1 WHERE paid_cents > 0",
    "UPDATE redemptions SET paid_cents = 0, cleared_cents = 0",
    "UPDATE redemptions SET batch_id = (SELECT min(id::text)::uuid FROM payout_batches WHERE id <> batch_id)",
    "UPDATE redemptions SET batch_id = NULL",
)


def clearing(world: World) -> set[str]:
    """Returns the batches of which the bank has another amount than their redemptions say, as verified."""
    said = {finding.text for finding in world.verify().findings}
    return {each.split()[2].rstrip(":") for each in said if each.startswith("BANK_CLEARING of ")}


@pytest.mark.parametrize("tampered", PAID_BESIDE)
def test_verification_sees_what_a_batch_paid_changed_beside_the_ledger(owed: World, tampered: str) -> None:
    batch = sent(owed)
    owed.accepted(*owed.voucher(owed.programme(**NO_EVIDENCE)))
    owed.batch()
    assert owed.verify().intact
    with transaction(owed.app) as tx:
        tx.execute(text(tampered))
    assert batch.name in clearing(owed)


def test_control_without_looking_at_redemptions_it_is_not_seen(
    owed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(owed)
    with transaction(owed.app) as tx:
        tx.execute(text(PAID_BESIDE[0]))
    without = str(verification._BALANCES).replace(
        "sum(paid_cents) FROM redemptions", "NULL::bigint FROM redemptions"
    )
    before = "OR kind = 7 AND owner IN (SELECT 'payoutBatches/' || id FROM payout_batches WHERE kind = 2)"
    without = without.replace("OR kind = 7 AND owner LIKE 'payoutBatches/%'", before)
    monkeypatch.setattr(verification, "_BALANCES", text(without))
    assert owed.verify().intact
