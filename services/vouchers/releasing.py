"""Reservations that end without payment: the amount returns to the voucher. Shared by calls and jobs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.api.redemption_messages import ref
from services.vouchers.domain import bookings
from services.vouchers.domain.redemption import Redemption
from services.vouchers.domain.states import EndReason, RedemptionState
from services.vouchers.store import ledger, redemptions, vouchers

OPERATIONS = {
    RedemptionState.VOIDED: "void",
    RedemptionState.EXPIRED: "timeout",
    RedemptionState.REJECTED: "reject",
}


def release_reservation(
    tx: Transaction, row: Row[Any], after: Redemption, reason: int, note: bytes | None = None
) -> dict[str, Any]:
    """Writes the end of a redemption that `lock_with_money` returned; returns what changed in the row.

    `reason`: as in the contract, 0 counts as OTHER; `note`: sealed.
    """
    voucher = vouchers.voucher_of(row).unreserve(after.amount)
    operation = OPERATIONS[after.state]
    name = f"vouchers/{voucher.id}"
    booking = bookings.unreserve(new_id(), operation, name, f"redemptions/{row.id}", after.amount)
    head = ledger.head_of(row)
    written = redemptions.resolve(
        tx, head, voucher, after, booking, end_reason=reason or EndReason.OTHER, sealed_note=note
    )
    tx.publish(events_pb2.RedemptionReleased(ref=ref(row), state=after.state.name))
    return written
