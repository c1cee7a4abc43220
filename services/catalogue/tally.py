"""Counts kept in a process and written by and by, so that what is counted waits for no write.

A process that is killed loses what it counted since the last time, about a second's worth.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

import sqlalchemy

from services.platform.db.transaction import Transaction, transaction

K = TypeVar("K", bound=Hashable)


class Tally(Generic[K]):
    """Counts by key; `write` adds them to what is stored."""

    def __init__(self, write: Callable[[Transaction, Mapping[K, int]], None]) -> None:
        self._write = write
        self._counting = threading.Lock()
        self._counts: Counter[K] = Counter()

    def add(self, key: K) -> None:
        """Counts one."""
        with self._counting:
            self._counts[key] += 1

    def settle(self, engine: sqlalchemy.Engine) -> None:
        """Writes what was counted since the last time; keeps it for the next when that fails."""
        with self._counting:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with transaction(engine) as tx:
                self._write(tx, counts)
        except BaseException:
            with self._counting:
                self._counts += counts
            raise
