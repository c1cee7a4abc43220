"""Whose turn a feed run is: what a worker writes counts only while no other has taken the run up after it.

The database's lock on a source ends with the connection that holds it, and a worker may not have noticed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy

from services.catalogue.store import feed_runs
from services.platform.db.transaction import Transaction, transaction


class Overtaken(Exception):
    """Another worker has taken the run up."""


class Stopped(Exception):
    """The process is told to end; another goes on with the run."""


class Turn:
    """One worker's turn at a run, from its beginning on; `stop` ends it at the next write."""

    def __init__(self, engine: sqlalchemy.Engine, run: str, stop: threading.Event) -> None:
        self._engine, self._run, self._stop = engine, run, stop
        with transaction(engine) as tx:
            self._number = feed_runs.take_up(tx, run)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Opens a transaction that holds the run; raises Overtaken or, before it began, Stopped."""
        if self._stop.is_set():
            raise Stopped
        with self.ending() as tx:
            yield tx

    @contextmanager
    def ending(self) -> Iterator[Transaction]:
        """Like `writing`, of a worker that stops; raises Overtaken."""
        with transaction(self._engine) as tx:
            if feed_runs.hold(tx, self._run) != self._number:
                raise Overtaken
            yield tx
