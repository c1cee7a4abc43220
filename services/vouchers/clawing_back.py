"""Takes accepted money back from a provider, and notes what it paid of what it then owes.

Locked in this order: the redemption, its voucher, the pot, the chain. A payment or write-off: the
receivable, the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2, voucher_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.vouchers.api.convert import moment
from services.vouchers.api.redemption_messages import ref
from services.vouchers.co_funding import Moved, Movement, share
from services.vouchers.domain import bookings
from services.vouchers.domain.clawback import Owed
from services.vouchers.domain.creditor_reference import reference_of
from services.vouchers.domain.history import Kind
from services.vouchers.domain.ledger import Booking, Head
from services.vouchers.domain.money import money
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.domain.states import RedemptionState, need_to_undo
from services.vouchers.domain.voucher import Voucher
from services.vouchers.store import ledger, receivables, voucher_changes, vouchers


def claw_back(
    tx: Transaction,
    row: Row[Any],
    cents: int,
    *,
    reason: int,
    note: bytes | None,
    most: datetime | None = None,
    at_fault: bool = False,
    refund: bool = False,
) -> Row[Any]:
    """Takes `cents` (0: all that is left) of a redemption that `receivables.lock_redemption` returned.

    Returns its new row. `note`: sealed; `most`: until when the voucher may be valid at all, None for no such
    limit; `at_fault`: the learner, who then gets nothing back; `refund`: the provider gives it by itself.
    Raises Refusal: WRONG_STATE, AMOUNT_TOO_HIGH.
    """
    state = RedemptionState(row.state)
    before = Owed(state, row.accepted_cents, row.held_cents, row.cleared_cents, row.clawed_cents)
    taken = before.take(cents)
    after = before.after(taken)
    swept = vouchers.voucher_of(row).unspend(taken.cents, restore=not at_fault)
    voucher = swept if at_fault else swept.reopen(tx.now, row.reserved_at, most)
    receivable, name = new_id(), f"redemptions/{row.id}"
    taker = row.pot if at_fault else f"vouchers/{voucher.id}"
    booking = bookings.claw_back(
        new_id(), name, taken, f"receivables/{receivable}", taker, restore=not at_fault
    )
    values = {
        "state": int(after.state),
        "held_cents": after.held,
        "cleared_cents": after.cleared,
        "clawed_cents": after.clawed,
        "end_reason": reason,
        "sealed_note": note,
    }
    written = receivables.take(tx, str(row.id), values, voucher)
    if taken.receivable:
        _owe(tx, receivable, row, taken.receivable)
    ledger.post(tx, _to_pot(tx, row, taken.cents) if at_fault else ledger.lock_head(tx, row.shard), booking)
    if voucher is not swept:
        _reopened(tx, row, voucher)
    until = None if at_fault else moment(voucher.spend_until(tx.now))
    whole, amount = after.clawed == after.accepted, money(taken.cents, row.currency)
    event = events_pb2.RedemptionClawedBack(
        ref=ref(row), amount=amount, whole=whole, refund=refund, spend_until=until
    )
    _tell(tx, event, receivable, taken.receivable)
    return written


def _tell(tx: Transaction, event: events_pb2.RedemptionClawedBack, receivable: str, owed: int) -> None:
    """Publishes what was taken back, with the debt where it left one: `owed` cents of a receivable."""
    if owed:
        event.receivable = f"receivables/{receivable}"
        event.owed.CopyFrom(money(owed, event.amount.currency_code))
        event.payment_reference = reference_of(receivable)
    tx.publish(event)


def _reopened(tx: Transaction, row: Row[Any], voucher: Voucher) -> None:
    """Writes and tells that a voucher can be spent again, until when."""
    said = {"reason": int(voucher_pb2.EXTENSION_REASON_TAKEN_BACK), "expires_at": voucher.expires}
    voucher_changes.change(tx, row, Kind.EXTENDED, voucher_changes.limits(voucher), **said)
    tx.publish(
        events_pb2.VoucherExtended(
            voucher=f"vouchers/{voucher.id}",
            learner=row.learner,
            expire_time=moment(voucher.expires),
            sandbox=is_sandbox(row.currency),
        )
    )


def _to_pot(tx: Transaction, row: Row[Any], cents: int) -> Head:
    """Gives what the learner does not get back to the voucher's pot; returns the chain, locked after it."""
    head = vouchers.lock_pot_and_head(tx, str(row.pot_id), row.shard)
    receivables.give_to_pot(tx, str(row.pot_id), cents)
    return head


def _owe(tx: Transaction, receivable: str, row: Row[Any], cents: int) -> None:
    values = {
        "id": receivable,
        "redemption_id": row.id,
        "organisation": row.organisation,
        "currency": row.currency,
        "shard": row.shard,
        "amount_cents": cents,
        "created_by": tx.principal.subject,
    }
    receivables.add(tx, values)


def left_cents(row: Row[Any]) -> int:
    """Returns what is neither set off, paid nor written off of a receivable."""
    return int(row.amount_cents - row.set_off_cents - row.paid_cents - row.written_off_cents)


def free_cents(row: Row[Any]) -> int:
    """Returns what is left of a receivable and no frozen batch sets off."""
    return left_cents(row) - int(row.reserved_cents)


def pay_back(tx: Transaction, row: Row[Any], cents: int, bank_reference: str) -> Row[Any]:
    """Books what a provider paid of a locked receivable; returns its new row. Raises Refusal: WRONG_STATE
    when nothing is left, AMOUNT_TOO_HIGH for more than is left and no frozen batch sets off, INVALID_ARGUMENT
    for the reference of the bank of a payment that counts."""
    free = free_cents(row)
    if bank_reference and (other := receivables.by_bank(tx, row.id, bank_reference)):
        told = f"is that of receivables/{row.id}/payments/{other.id}, which counts already"
        raise invalid("bank_reference", told)
    if not left_cents(row):
        metadata = {"state": "SETTLED", "needed": "OPEN"}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
    if cents > free:
        raise Refusal(reason_pb2.REASON_AMOUNT_TOO_HIGH, metadata={"limit_cents": str(free)})
    written, booked, moved = take_payment(tx, row, cents, bank_reference)
    ledger.post(tx, ledger.lock_head(tx, row.shard), booked)
    share(tx, [moved])
    tell_payment(tx, written, cents)
    return written


def take_payment(
    tx: Transaction, row: Row[Any], cents: int, bank_reference: str, credit: str = ""
) -> tuple[Row[Any], Booking, Moved]:
    """Writes what a provider paid of a locked receivable; returns its new row, what to book and what comes
    back to sources. `credit`: what tells the credit in the bank's files."""
    values = {
        "id": new_id(),
        "receivable_id": row.id,
        "cents": cents,
        "bank_reference": bank_reference,
        "recorded_by": tx.principal.subject,
        "credit": credit,
    }
    receivables.add_payment(tx, values)
    return _payment(tx, row, bookings.pay_back, cents)


def tell_payment(
    tx: Transaction, written: Row[Any], cents: int, excess: int = 0, *, undone: bool = False
) -> None:
    """Tells what was booked of a receivable, in its new row, and what came in beyond it."""
    event = events_pb2.ReceivablePaid(
        receivable=f"receivables/{written.id}",
        organisation=written.organisation,
        amount=money(cents, written.currency),
        outstanding=money(left_cents(written), written.currency),
        excess=money(excess, written.currency) if excess else None,
        undone=undone,
    )
    tx.publish(event)


def undo_pay_back(tx: Transaction, row: Row[Any], payment: Row[Any]) -> Row[Any]:
    """Books a payment of a locked receivable back; returns its new row. Raises Refusal: WRONG_STATE when
    that was done before, SAME_PERSON."""
    need_to_undo(undone_by=payment.undone_by, recorded_by=payment.recorded_by, person=tx.principal.subject)
    receivables.undo_payment(tx, payment.id)
    written, booked, moved = _payment(tx, row, bookings.undo_pay_back, -payment.cents)
    ledger.post(tx, ledger.lock_head(tx, row.shard), booked)
    share(tx, [moved])
    tell_payment(tx, written, payment.cents, undone=True)
    return written


def _payment(
    tx: Transaction, row: Row[Any], book: Callable[[str, str, str, int], Booking], cents: int
) -> tuple[Row[Any], Booking, Moved]:
    """Writes what came in of a receivable (less than zero: goes out); returns its new row, what to book, and
    what the sources that bore the payment get back."""
    written = receivables.change(tx, row.id, {"paid_cents": row.paid_cents + cents})
    redemption = str(row.redemption_id)
    booking = book(new_id(), f"redemptions/{redemption}", f"receivables/{row.id}", abs(cents))
    voucher = receivables.voucher_of(tx, redemption)
    return written, booking, Moved(booking.id, Movement.RECOVERY, redemption, voucher, None, -cents)
