"""Money on its way to providers: release of what is held, and payout. Shared by calls and the release job.

Redemptions, or payables, are locked first, in order of their ids, then receivables, then chains, in order of
their numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.app import VouchersApp
from services.vouchers.co_funding import Moved, Movement, recovered, share
from services.vouchers.domain import bookings
from services.vouchers.domain.clawback import set_off, spread
from services.vouchers.domain.payouts import Due, Payment, payments
from services.vouchers.monitoring import check_accepted
from services.vouchers.store import ledger, payables, payouts, receivables

AT_ONCE = 1000  # redemptions of one transaction


def release_due(app: VouchersApp, tx: Transaction, limit: int = AT_ONCE) -> int:
    """Moves held money that may be paid out to cleared; returns how many redemptions it did.

    The monitoring rules look first at what they have not looked at; what they have not is not released.
    """
    check_accepted(app, tx)
    rows = payouts.releasable(tx, limit)
    if rows:
        release(tx, rows)
    return len(rows)


def release(tx: Transaction, rows: Sequence[Row[Any]]) -> None:
    """Moves what is held of locked redemptions to cleared."""
    payouts.set_cleared(tx, [str(row.id) for row in rows])
    released = [
        (row.shard, bookings.release(new_id(), f"redemptions/{row.id}", row.held_cents)) for row in rows
    ]
    ledger.post_all(tx, released)


def pay_payables(tx: Transaction, batch: str, rows: Sequence[Row[Any]]) -> None:
    """Books the payout of a batch's payables and marks them as paid."""
    name = f"payoutBatches/{batch}"
    booked = [(row.shard, bookings.payout(new_id(), row.subject, name, row.cleared_cents)) for row in rows]
    ledger.post_all(tx, booked)
    payables.set_paid(tx, [str(row.id) for row in rows])


def payments_for(batch: str, rows: Sequence[Row[Any]]) -> list[Payment]:
    """Returns the payments of a batch for what is cleared in it, one for each payee."""
    return payments(batch, (Due(str(row.id), row.organisation, row.cleared_cents) for row in rows))


def less_receivables(tx: Transaction, batch: str, dues: Sequence[Payment], currency: str) -> list[Payment]:
    """Sets what providers owe back off against what they are due, and keeps it for when the batch is paid."""
    receivables.release_set_offs(tx, batch)
    owed = receivables.lock_open(tx, {payment.organisation for payment in dues}, currency)
    against = {
        payment.organisation: set_off(payment.cents, owed.get(payment.organisation, [])) for payment in dues
    }
    receivables.reserve_set_offs(tx, batch, against)
    return [payment.less(against[payment.organisation]) for payment in dues]


def pay(tx: Transaction, batch: str, rows: Sequence[Row[Any]]) -> None:
    """Books the payout of a batch's redemptions, less what providers owe back, and marks them as paid."""
    name = f"payoutBatches/{batch}"
    against = receivables.set_offs_of(tx, batch)
    by_provider: defaultdict[str, dict[str, Row[Any]]] = defaultdict(dict)
    for row in rows:
        by_provider[row.organisation][str(row.id)] = row
    paid, booked = dict[str, int](), []
    moved, set_offs = list[Moved](), list[tuple[str, str, int]]()
    for organisation, own in sorted(by_provider.items()):
        due = [(key, row.cleared_cents) for key, row in own.items()]
        for key, cents, parts in spread(due, against.get(organisation, [])):
            paid[key] = cents
            set_off = [(f"receivables/{receivable}", part) for receivable, part in parts]
            booking = bookings.payout(new_id(), f"redemptions/{key}", name, cents, set_off)
            booked.append((own[key].shard, booking))
            voucher, whole = str(own[key].voucher_id), own[key].cleared_cents
            moved.append(Moved(booking.id, Movement.PAYOUT, key, voucher, batch, whole))
            set_offs += [(booking.id, receivable, part) for receivable, part in parts]
    ledger.post_all(tx, booked)
    share(tx, [*moved, *recovered(tx, batch, set_offs)])
    payouts.set_paid(tx, paid)
    if against:
        receivables.settle_set_offs(tx, batch)
        payouts.settle_without_bank(tx, batch)
