"""Money on its way to providers: release of what is held, and payout. Shared by calls and the release job.

Redemptions are locked first, in order of their ids, then chains, in order of their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.domain import bookings
from services.vouchers.store import ledger, payouts

AT_ONCE = 1000  # redemptions of one transaction


def release_due(tx: Transaction, limit: int = AT_ONCE) -> int:
    """Moves held money that may be paid out to cleared; returns how many redemptions it did."""
    rows = payouts.releasable(tx, limit)
    if rows:
        payouts.set_cleared(tx, [str(row.id) for row in rows])
        released = [
            (row.shard, bookings.release(new_id(), f"redemptions/{row.id}", row.held_cents)) for row in rows
        ]
        ledger.post_all(tx, released)
    return len(rows)


def pay(tx: Transaction, batch: str, rows: Sequence[Row[Any]]) -> None:
    """Books the payout of a batch's redemptions and marks them as paid."""
    name = f"payoutBatches/{batch}"
    paid = [
        (row.shard, bookings.payout(new_id(), f"redemptions/{row.id}", name, row.cleared_cents))
        for row in rows
    ]
    ledger.post_all(tx, paid)
    payouts.set_paid(tx, batch)
