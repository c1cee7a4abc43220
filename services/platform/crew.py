"""Threads beside the jobs of a process, for work that waits for others: a job only fills the free ones.

They have connections of their own, so that those who are slow take none from jobs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import structlog

from services.platform.db.engine import make_engine

W = TypeVar("W")
log = structlog.get_logger("crew")


class Crew(Generic[W]):
    """`claim` returns at most so many pieces of work as there are free threads, `work` does one.

    What is claimed is kept by a lease, so that it is claimed anew when its process dies or `work` raises.
    """

    def __init__(
        self, name: str, threads: int, url: str, claim: Callable[[int], Sequence[W]], work: Callable[[W], Any]
    ) -> None:
        """`url`: of the database, which `engine` is connected to."""
        self._name, self._claim, self._work = name, claim, work
        self.engine = make_engine(url, threads + 1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._idle = threading.Condition()
        self._all = threads
        self._closing = False

    def round(self) -> int:
        """Starts what is due and has room; returns how many. Does not wait for any."""
        with self._idle:
            if self._closing or not self._free:
                return 0
            pieces = self._claim(self._free)
            self._free -= len(pieces)
            for piece in pieces:
                self._threads.submit(self._do, piece)
        return len(pieces)

    def wait(self) -> None:
        """Waits until nothing is under way."""
        with self._idle:
            self._idle.wait_for(lambda: self._free == self._all)

    def close(self) -> None:
        """Waits for what is under way, starts nothing more, and gives the connections back."""
        with self._idle:
            self._closing = True
        self._threads.shutdown(wait=True)
        self.engine.dispose()

    def _do(self, piece: W) -> None:
        try:
            self._work(piece)
        except Exception:
            log.exception("work_failed", crew=self._name)  # due again after the lease
        finally:
            with self._idle:
                self._free += 1
                self._idle.notify_all()
