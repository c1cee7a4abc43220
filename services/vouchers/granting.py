"""A grant: money leaves a pot and becomes a voucher, in the transaction of the decision."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.assessment import Assessment
from services.vouchers.domain import bookings
from services.vouchers.domain.ledger import Booking
from services.vouchers.domain.money import money
from services.vouchers.domain.states import VoucherState
from services.vouchers.store import budgets, ledger, vouchers


def take_money(tx: Transaction, found: Assessment) -> Row[Any]:
    """Takes the amount from a pot; raises Refusal(BUDGET_EXHAUSTED)."""
    assert found.decision.worth is not None
    amount = found.decision.worth.amount
    return budgets.take(tx, found.programme_id, found.decision.group, found.today, amount, found.place)


def issue(
    tx: Transaction, found: Assessment, learner: str, application: str, voucher: str, pot: Row[Any]
) -> None:
    """Makes the voucher, books it and tells; `application` and `voucher` are ids, the first is stored."""
    shard, booking = make(tx, found, learner, application, voucher, pot)
    ledger.post(tx, ledger.lock_head(tx, shard), booking)


def make(
    tx: Transaction, found: Assessment, learner: str, application: str, voucher: str, pot: Row[Any]
) -> tuple[int, Booking]:
    """Makes the voucher and tells; returns the booking, still to be posted, with the number of its chain."""
    assert found.decision.worth is not None
    amount, currency = found.decision.worth.amount, found.rules.currency
    name = f"vouchers/{voucher}"
    shard = ledger.shard_for(tx, currency, name)
    limit = found.rules.period_limit(budgets.last_day(tx, pot.id)) if _within_period(found) else None
    expires = min(found.rules.expiry(tx.now), limit) if limit else found.rules.expiry(tx.now)
    values = {
        "id": voucher,
        "learner": learner,
        "programme_id": found.programme_id,
        "version_number": found.number,
        "application_id": application,
        "course": found.offer.course,
        "pot_id": pot.id,
        "shard": shard,
        "currency": currency,
        "cover_percent": found.decision.cover,
        "state": int(VoucherState.ISSUED),
        "value_cents": amount,
        "available_cents": amount,
        "order_until": found.rules.order_limit(tx.now),
        "expires_at": expires,
        "created_at": tx.now,
    }
    vouchers.add(tx, values)
    event = events_pb2.VoucherIssued(
        voucher=name,
        learner=learner,
        programme=f"programmes/{found.programme_id}",
        value=money(amount, currency),
    )
    event.expire_time.FromDatetime(expires)
    tx.publish(event)
    return shard, bookings.issue(new_id(), pot.name, name, amount)


def _within_period(found: Assessment) -> bool:
    return found.rules.version.window_rule.within_budget_period
