"""Steps of a redemption without their locks, for controls that show what those are for."""

from __future__ import annotations

import re

import pytest

from services.platform.db.wire import Named, Prepared
from services.vouchers.store import redemptions

_LOCKS = re.compile("FOR NO KEY UPDATE OF [a-z, ]+")


def unlock_reservations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a reservation read its voucher without a lock, and write it without a ledger entry."""
    _unlock(monkeypatch, "LOCK_BY_VOUCHER", "RESERVE")


def unlock_instalments(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the acceptance of an instalment."""
    _unlock(monkeypatch, "LOCK_WITH_MONEY", "TAKE_OUT")


def _unlock(monkeypatch: pytest.MonkeyPatch, reading: str, writing: str) -> None:
    lock, write = getattr(redemptions, reading), getattr(redemptions, writing)
    unlocked, count = _LOCKS.subn("", lock.prepared.sql)
    assert count == 1
    monkeypatch.setattr(redemptions, reading, Named(Prepared("unlocked", unlocked), lock.names))
    # The chain's primary key would stop most twins too; without it the lock stands alone.
    free = write.prepared.sql.partition("), head AS")[0] + ") SELECT 1"
    used = [name for place, name in enumerate(write.names, 1) if re.search(rf"\${place}\b", free)]
    monkeypatch.setattr(redemptions, writing, Named(Prepared("free", free), tuple(used)))
