"""Acceptance: what was delivered becomes the provider's money, or an instalment of it does."""

from __future__ import annotations

from typing import Any

from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.api.redemption_messages import ref
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.money import money
from services.vouchers.domain.states import VoucherState
from services.vouchers.ending import tell_ended
from services.vouchers.store import ledger, redemptions, vouchers


def accept(app: VouchersApp, tx: Transaction, row: Any, cents: int) -> dict[str, Any]:
    """Accepts `cents` (0: all that is allowed) of a delivery that `redemptions.lock_with_money` returned;
    returns what changed in the row. Raises Refusal: WRONG_STATE, AMOUNT_TOO_HIGH."""
    rules = app.rules(tx, row.programme_id, row.version_number)
    due = rules.due(redemptions.redemption_of(row))
    release_at = rules.release_time(due, tx.now, row.last_day)
    act = _accept_last if due.last else _accept_part
    return act(tx, row, cents, due.cents, release_at)


def _accept_last(tx: Transaction, row: Any, cents: int, limit: int, release_at: Any) -> dict[str, Any]:
    before = redemptions.redemption_of(row)
    after = before.accept(cents, limit)
    voucher = vouchers.voucher_of(row).spend(before.amount, after.accepted)
    name = f"redemptions/{row.id}"
    booking = bookings.accept(new_id(), f"vouchers/{voucher.id}", name, before.amount, after.accepted)
    head = ledger.head_of(row)
    written = redemptions.resolve(tx, head, voucher, after, booking, release_at=release_at)
    amount, no_show = money(after.accepted, row.currency), after.no_show is not None
    tx.publish(events_pb2.RedemptionAccepted(ref=ref(row), amount=amount, no_show=no_show))
    if voucher.state is VoucherState.EXHAUSTED:
        tell_ended(tx, row, f"vouchers/{voucher.id}", voucher.state, 0)
    return written


def _accept_part(tx: Transaction, row: Any, cents: int, limit: int, release_at: Any) -> dict[str, Any]:
    left, part = redemptions.redemption_of(row).accept_part(new_id(), cents, limit)
    voucher = vouchers.voucher_of(row).spend(part.amount, part.accepted)
    name = f"redemptions/{part.id}"
    booking = bookings.accept(new_id(), f"vouchers/{voucher.id}", name, part.amount, part.accepted)
    head = ledger.head_of(row)
    written = redemptions.take_out(tx, head, voucher, left, part, booking, release_at=release_at)
    amount = money(part.accepted, row.currency)
    tx.publish(events_pb2.InstalmentAccepted(ref=ref(row), part=name, number=part.instalment, amount=amount))
    return written
