"""Vouchers that end: what they hold goes back to their pot. Shared by calls and jobs."""

from __future__ import annotations

from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.domain import bookings, history
from services.vouchers.domain.money import money
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.domain.states import VoucherState
from services.vouchers.store import voucher_changes, vouchers

OPERATIONS = {
    VoucherState.EXPIRED: "expiry",
    VoucherState.CANCELLED: "cancel",
    VoucherState.REVOKED: "revoke",
}


def end_voucher(tx: Transaction, voucher_id: str, state: VoucherState) -> None:
    """Ends a voucher as EXPIRED, CANCELLED or REVOKED; raises Refusal: NOT_FOUND, WRONG_STATE."""
    row = vouchers.lock_to_end(tx, voucher_id)
    before = vouchers.voucher_of(row)
    after = before.end(state)
    head = vouchers.lock_pot_and_head(tx, row.pot_id, row.shard)
    name = f"vouchers/{voucher_id}"
    booking = bookings.give_back(new_id(), OPERATIONS[state], name, row.pot, before.available)
    vouchers.give_back(tx, after, row.pot_id, head, booking, before.available)
    if not before.available:  # the ledger has no line for nothing
        voucher_changes.note(tx, voucher_id, row.shard, history.ENDED_AS[state])
    tell_ended(tx, row, name, state, before.available)


def sweep_voucher(tx: Transaction, voucher_id: str) -> None:
    """Gives back what a late release has left on an ended voucher; nothing when another call did."""
    row = vouchers.lock_to_end(tx, voucher_id)
    before = vouchers.voucher_of(row)
    if not before.ended_early or before.available == 0:
        return
    head = vouchers.lock_pot_and_head(tx, row.pot_id, row.shard)
    name = f"vouchers/{voucher_id}"
    booking = bookings.give_back(new_id(), OPERATIONS[before.state], name, row.pot, before.available)
    vouchers.give_back(tx, before.sweep(), row.pot_id, head, booking, before.available)


def tell_ended(
    tx: Transaction, row: Row[tuple[object, ...]], voucher: str, state: VoucherState, returned: int
) -> None:
    """Publishes that a voucher has ended."""
    event = events_pb2.VoucherEnded(
        voucher=voucher,
        learner=row.learner,
        state=state.name,
        returned=money(returned, row.currency),
        sandbox=is_sandbox(row.currency),
    )
    tx.publish(event)
