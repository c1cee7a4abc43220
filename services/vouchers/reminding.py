"""Reminders of vouchers that will expire, and of trainings that are over and whose money waits."""

from __future__ import annotations

from datetime import timedelta

from waymark.vouchers.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.vouchers.api.convert import day
from services.vouchers.api.redemption_messages import ref
from services.vouchers.domain.money import money
from services.vouchers.domain.states import RedemptionState
from services.vouchers.store import redemptions, reminders

AT_ONCE = 1000
OVERDUE = timedelta(days=14)  # after the last day of the session


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


def tell_overdue(tx: Transaction) -> int:
    """Publishes that trainings are over and were not accepted, at most AT_ONCE; returns how many."""
    rows = redemptions.take_overdue(tx, tx.today - OVERDUE, AT_ONCE)
    for row in rows:
        state = RedemptionState(row.state).name
        tx.publish(events_pb2.RedemptionOverdue(ref=ref(row), state=state, end_date=day(row.end_date)))
    return len(rows)
