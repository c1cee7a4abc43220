"""Reminders of vouchers that will expire."""

from __future__ import annotations

from waymark.vouchers.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.vouchers.domain.money import money
from services.vouchers.store import reminders

AT_ONCE = 1000


def remind_due(tx: Transaction) -> int:
    """Publishes each reminder that is due, at most AT_ONCE; returns how many."""
    rows = reminders.take(tx, AT_ONCE)
    for row in rows:
        event = events_pb2.VoucherExpiring(
            voucher=f"vouchers/{row.id}",
            learner=row.learner,
            days=row.days,
            available=money(row.available_cents, row.currency),
        )
        event.expire_time.FromDatetime(row.expires_at)
        tx.publish(event)
    return len(rows)
