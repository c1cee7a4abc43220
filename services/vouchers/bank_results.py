"""Takes in what the bank says of payments: matches, books returns back, moves batches on. What of an approved
batch never gets to the bank is booked back the same way.

Locked in this order: the report, batches by id, receivables by id, redemptions by id, payables by id,
outcome contracts by id, chains by number.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers import repaying
from services.vouchers.co_funding import Moved, Movement, share
from services.vouchers.crediting import Credits
from services.vouchers.domain import bookings
from services.vouchers.domain.bank_reports import Known, Outcome, Report, Said, Verdict, outcome
from services.vouchers.domain.ledger import Booking
from services.vouchers.domain.money import money
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.domain.states import BatchKind, BatchState
from services.vouchers.store import bank_reports, ledger, payables, payouts

RESULTS = {Verdict.CONFIRMED: BatchState.CONFIRMED, Verdict.RETURNED: BatchState.RETURNED}
Booked = tuple[int, Booking]  # for the chain of a number
OPEN = (Outcome.UNMATCHED, Outcome.DIFFERENT, Outcome.NOT_SENT, Outcome.UNCLEAR, Outcome.OVERPAID)
DONE = (Outcome.APPLIED, Outcome.REPEATED, Outcome.OVERPAID)  # not tried again


@dataclass
class Payment:
    """A payment on its way through a file. `before`: its result so far."""

    batch: str
    organisation: str
    cents: int
    before: int
    result: int
    code: str


class Matching:
    """The payments that a file may be about, under lock."""

    def __init__(self, tx: Transaction, said: Iterable[Said]) -> None:
        named = list(said)
        whole = {batch for each in named if (batch := _batch_id(each))}
        self.batches = bank_reports.lock_batches(tx, {each.end_to_end for each in named}, whole)
        self.by_reference: dict[str, Payment] = {}
        self.by_batch: dict[str, list[Payment]] = {batch: [] for batch in self.batches}
        for row in bank_reports.payments_of(tx, self.batches):
            if not row.amount_cents:  # set off whole: the bank never saw it
                continue
            payment = Payment(
                str(row.batch_id), row.organisation, row.amount_cents, row.result, row.result, row.return_code
            )
            self.by_reference[row.end_to_end_id] = payment
            self.by_batch[payment.batch].append(payment)

    def apply(self, said: Said) -> tuple[Outcome, str | None, str]:
        """Notes what a statement says; returns what came of it, the batch and the provider it is about."""
        payment = self.by_reference.get(said.end_to_end) if said.end_to_end else None
        batch = payment.batch if payment else _batch_id(said)
        if batch is None or batch not in self.batches or (said.end_to_end and not payment):
            return outcome(said, None), None, ""
        about = [payment] if payment else self.by_batch[batch]
        open_ = about if payment else _still_open(said, about)
        found = outcome(said, self._known(batch, said, about, open_))
        if found is Outcome.APPLIED:
            for each in open_:
                each.result = int(RESULTS[said.verdict])
                each.code = said.code if said.verdict is Verdict.RETURNED else ""
        return found, batch, payment.organisation if payment else ""

    def _known(self, batch: str, said: Said, about: list[Payment], open_: list[Payment]) -> Known:
        """Returns one payment, or all of a batch as one; what a statement cannot change is settled."""
        row = self.batches[batch]
        result = int(BatchState.RETURNED)
        if said.end_to_end:
            result = about[0].result
        elif open_:
            result = 0
        elif any(each.result == BatchState.CONFIRMED for each in about):
            result = int(BatchState.CONFIRMED)
        return Known(
            sent=row.sent_at is not None and row.state != BatchState.CANCELLED,
            result=result,
            cents=sum(each.cents for each in about),
            currency=row.currency,
            account=row.debtor_iban,
        )

    def changed(self) -> list[Payment]:
        """Returns the payments with another result than before."""
        payments = (each for batch in self.by_batch.values() for each in batch)
        return [each for each in payments if each.result != each.before]


def take_in(tx: Transaction, report: Report) -> Row[Any]:
    """Writes what a file says and what follows; returns the report's row. The same file again tries only what
    changed no payment so far. Raises Refusal(BANK_REPORT_CONFLICT) for another file with the same message
    id."""
    row = bank_reports.claim(tx, report)
    name = f"bankReports/{row.id}"
    if row.sha256 != report.sha256:
        raise Refusal(reason_pb2.REASON_BANK_REPORT_CONFLICT, metadata={"bank_report": name})
    outcomes = bank_reports.outcomes(tx, row.id)
    todo = {number: said for number, said in enumerate(report.said, 1) if outcomes.get(number) not in DONE}
    matching, credited = Matching(tx, todo.values()), Credits(tx, todo.values())
    entries = []
    for number, said in todo.items():
        about = _match(matching, credited, said)
        outcomes[number] = about["outcome"]
        entries.append({**_columns(number, said), **about})
    bank_reports.keep(tx, row.id, entries)
    settle(tx, matching.changed(), matching.by_batch, matching.batches, credited)
    results = list(outcomes.values())
    applied = sum(result in (Outcome.APPLIED, Outcome.OVERPAID) for result in results)
    return bank_reports.count(tx, row.id, applied, sum(result in OPEN for result in results))


def _match(matching: Matching, credited: Credits, said: Said) -> dict[str, Any]:
    """Returns what came of a statement, as columns: about a payment of ours, else about what it pays us."""
    found, batch, organisation = matching.apply(said)
    about: dict[str, Any] = {"batch_id": batch, "receivable_id": None, "excess_cents": 0}
    if batch is None and said.creditor:
        found, receivable, about["excess_cents"] = credited.apply(said)
        if receivable is not None:
            about["receivable_id"], organisation = receivable.id, receivable.organisation
    return {**about, "outcome": int(found), "organisation": organisation}


def settle(
    tx: Transaction,
    changed: list[Payment],
    by_batch: Mapping[str, Sequence[Payment]],
    batches: Mapping[str, Row[Any]],
    credited: Credits | None = None,
) -> None:
    """Writes the new results of payments, books returns back, and what was `credited`, and tells of both.
    `by_batch`: all payments of the batches they are in."""
    if changed:
        bank_reports.set_results(
            tx, [(each.batch, each.organisation, each.result, each.code) for each in changed]
        )
    _book(tx, changed, batches, credited)
    for batch in sorted({each.batch for each in changed}):
        results = {each.result for each in by_batch[batch]}
        if 0 not in results:
            done = BatchState.CONFIRMED if BatchState.CONFIRMED in results else BatchState.RETURNED
            payouts.change_batch(tx, batch, {"state": int(done), "settled_at": tx.now})
    for each in _events(changed, batches):
        tx.publish(each)


def give_up(tx: Transaction, batch: Row[Any], payments: Sequence[Row[Any]]) -> None:
    """Books back what an approved, locked batch was to pay by the bank, which never had it, as if that had
    returned it. `payments`: all of the batch."""
    name, back = str(batch.id), int(BatchState.RETURNED)
    unpaid = [
        Payment(name, row.organisation, row.amount_cents, 0, back, "") for row in payments if not row.result
    ]
    _book(tx, unpaid, {name: batch})


def _book(
    tx: Transaction,
    changed: Sequence[Payment],
    batches: Mapping[str, Row[Any]],
    credited: Credits | None = None,
) -> None:
    """Frees what returned payments were for, books it and what was credited, and has its sources bear it no
    more; has investors that were paid count as repaid."""
    redemptions = [each for each in changed if batches[each.batch].kind == BatchKind.REDEMPTIONS]
    booked, moved = _take_back(tx, [each for each in redemptions if each.result == BatchState.RETURNED])
    booked += _settle_payables(
        tx, [each for each in changed if batches[each.batch].kind == BatchKind.PAYABLES]
    )
    if credited:
        booked, moved = booked + credited.booked, moved + credited.moved
    if booked:
        ledger.post_all(tx, booked)
    share(tx, moved)


def _take_back(tx: Transaction, returned: list[Payment]) -> tuple[list[Booked], list[Moved]]:
    """Frees the redemptions of returned payments for another batch; returns what to book of it, by chain."""
    rows = payouts.paid_by(tx, ((each.batch, each.organisation) for each in returned)) if returned else []
    if rows:
        payouts.set_returned(tx, [str(row.id) for row in rows])
    booked, moved = list[Booked](), list[Moved]()
    for row in rows:
        redemption, batch = f"redemptions/{row.id}", f"payoutBatches/{row.batch_id}"
        booking = bookings.payout_return(new_id(), redemption, batch, row.paid_cents)
        booked.append((row.shard, booking))
        about = (str(row.id), str(row.voucher_id), str(row.batch_id), -row.paid_cents)
        moved.append(Moved(booking.id, Movement.RETURN, *about))
    return booked, moved


def _settle_payables(tx: Transaction, changed: list[Payment]) -> list[Booked]:
    """Frees the payables of returned payments for another batch, and has what investors were paid count as
    repaid; returns what to book of it, by chain."""
    results = {(each.batch, each.organisation): each.result for each in changed}
    rows = payables.paid_by(tx, results) if results else []
    back, repaid, booked = list[Row[Any]](), list[Row[Any]](), list[Booked]()
    for row in rows:
        batch, source = f"payoutBatches/{row.batch_id}", f"fundingSources/{row.source_id}"
        if results[row.batch_id, row.organisation] == BatchState.RETURNED:
            back.append(row)
            counted = source if row.state == payables.REPAID else ""
            booking = bookings.payout_return(new_id(), row.subject, batch, row.cleared_cents, counted)
        elif row.source_id:
            repaid.append(row)
            booking = bookings.confirm_repaid(new_id(), row.subject, batch, source, row.cleared_cents)
        else:
            continue
        booked.append((row.shard, booking))
    payables.take_out(tx, [row.id for row in back])
    payables.set_repaid(tx, [row.id for row in repaid])
    repaying.review(tx, [row.subject for row in (*back, *repaid) if row.source_id])
    return booked


def _events(changed: list[Payment], batches: Mapping[str, Row[Any]]) -> Iterator[Any]:
    for each in changed:
        currency = batches[each.batch].currency
        ref = {
            "payout_batch": f"payoutBatches/{each.batch}",
            "organisation": each.organisation,
            "amount": money(each.cents, currency),
            "sandbox": is_sandbox(currency),
        }
        if each.result == BatchState.RETURNED:
            yield events_pb2.PayoutReturned(**ref, return_code=each.code)
        else:
            yield events_pb2.PayoutConfirmed(**ref)


def _still_open(said: Said, payments: list[Payment]) -> list[Payment]:
    """Returns the payments of a batch that a statement about all of them can change."""
    taken_back = said.booked and said.verdict is Verdict.RETURNED
    settled = (BatchState.RETURNED,) if taken_back else (BatchState.CONFIRMED, BatchState.RETURNED)
    return [each for each in payments if each.result not in settled]


def _batch_id(said: Said) -> str | None:
    """Returns the batch whose file a statement without a payment's reference is about: our message ids are
    its id in hex."""
    if said.end_to_end or len(said.initiation) != 32:
        return None
    try:
        return str(uuid.UUID(hex=said.initiation))
    except ValueError:
        return None


def _columns(number: int, said: Said) -> dict[str, Any]:
    return {
        "number": number,
        "line": said.line,
        "end_to_end_id": said.end_to_end,
        "bank_reference": said.bank_reference,
        "verdict": int(said.verdict),
        "code": said.code,
        "amount_cents": said.cents,
        "currency": said.currency,
        "creditor_reference": said.creditor,
    }
