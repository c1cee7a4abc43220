"""Threads beside the jobs of a process, for work that waits for others: a job only fills the free ones."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from sqlalchemy import Row

from services.platform.db.engine import make_engine
from services.platform.db.transaction import Transaction, transaction

log = structlog.get_logger("crew")


class Crew(ABC):
    """Some threads that each do one piece of work at a time, and look for the next when it is done.

    A piece is a row with an `id`. What is claimed is kept by a lease, so that it is claimed anew when its
    process dies or `work` raises. `engine` has connections of its own, so many a thread, so that a burst
    takes none from jobs; `under_way` is what was claimed and is not done; `closing`: all is to end.
    """

    def __init__(self, name: str, threads: int, database_url: str, *, connections: int = 1) -> None:
        self.engine = make_engine(database_url, threads * connections + 1)
        self.under_way: list[Row[Any]] = []
        self._name, self._size = name, threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._changed = threading.Condition()
        self.closing = threading.Event()

    @abstractmethod
    def claim(self, tx: Transaction, room: int) -> Sequence[Row[Any]]:
        """Returns what is due, at most so many pieces; one call at a time."""

    @abstractmethod
    def work(self, row: Row[Any]) -> None:
        """Does one piece."""

    def round(self) -> int:
        """Starts what is due and has room; returns how many. Does not wait for any."""
        with self._changed:
            room = self._size - len(self.under_way)
            if self.closing.is_set() or not room:
                return 0
            with transaction(self.engine) as tx:
                rows = self.claim(tx, room)
            self.under_way.extend(rows)
            for row in rows:
                self._threads.submit(self._do, row)
        return len(rows)

    def wait(self) -> None:
        """Waits until nothing is under way and nothing more is due."""
        with self._changed:
            self._changed.wait_for(lambda: not self.under_way)

    def close(self) -> None:
        """Waits for what is under way, starts nothing more, and gives the connections back."""
        with self._changed:
            self.closing.set()
        self._threads.shutdown(wait=True)
        self.engine.dispose()

    def _do(self, row: Row[Any]) -> None:
        try:
            self.work(row)
        except Exception:
            log.exception("work_failed", crew=self._name, id=str(row.id))  # due again after the lease
        with self._changed:
            self.under_way.remove(row)
            try:
                self.round()  # what is due next need not wait for the job
            except Exception:
                log.exception("work_not_claimed", crew=self._name)  # the job comes again
            self._changed.notify_all()
