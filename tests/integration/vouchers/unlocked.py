"""Reservations without their locks, for controls that show what those are for."""

from __future__ import annotations

import re

import pytest

from services.platform.db.wire import Named, Prepared
from services.vouchers.store import redemptions


def unlock_reservations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a reservation read its voucher without a lock, and write it without a ledger entry."""
    lock, reserve = redemptions.LOCK_BY_VOUCHER, redemptions.RESERVE
    unlocked = lock.prepared.sql.replace("FOR NO KEY UPDATE OF v, h", "")
    monkeypatch.setattr(redemptions, "LOCK_BY_VOUCHER", Named(Prepared("unlocked", unlocked), lock.names))
    # The chain's primary key would stop most twins too; without it the lock stands alone.
    free = reserve.prepared.sql.partition("), head AS")[0] + ") SELECT 1"
    used = [name for place, name in enumerate(reserve.names, 1) if re.search(rf"\${place}\b", free)]
    monkeypatch.setattr(redemptions, "RESERVE", Named(Prepared("free", free), tuple(used)))
