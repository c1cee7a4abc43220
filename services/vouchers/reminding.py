"""Reminders of vouchers that will expire."""

from __future__ import annotations

from waymark.vouchers.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.vouchers.domain.money import money
from services.vouchers.store import reminders


def remind(tx: Transaction, voucher_id: str) -> None:
    """Publishes that a voucher will expire, unless this reminder was sent before or is no longer due."""
    row = reminders.take(tx, voucher_id)
    if row is None:
        return
    event = events_pb2.VoucherExpiring(
        voucher=f"vouchers/{voucher_id}",
        learner=row.learner,
        days=row.days,
        available=money(row.available_cents, row.currency),
    )
    event.expire_time.FromDatetime(row.expires_at)
    tx.publish(event)
