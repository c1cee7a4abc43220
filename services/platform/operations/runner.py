"""Does long work chunk by chunk.

A chunk, the place that the next one begins at and what was found so far commit together, so a crash anywhere
costs at most one chunk and repeats none. One replica at a time works on a piece; another takes over when it
dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal, reason_name
from services.platform.events.faults import passing
from services.platform.operations import store
from services.platform.operations.store import State

if TYPE_CHECKING:
    from services.platform.app import App

SLICE = 1.0  # seconds of work before other jobs of the process get their turn
TRIES = 6  # failures of one chunk, with pauses of 1, 2, 4 … seconds between
log = structlog.get_logger("operations")


@dataclass(frozen=True)
class Chunk:
    """What one chunk did. `done`: things in it; `last`: the work is at its end; `total`: how many there
    are in all, None when it is as known before.
    """

    place: Mapping[str, Any]
    result: Mapping[str, Any]
    done: int
    last: bool
    total: int | None = None


# Does the next chunk of an operation's row. A Refusal undoes the chunk and ends the work as FAILED with that
# reason, unless it is one that passes; after that or any other error the chunk is tried again.
Work = Callable[[Any, Transaction, Row[Any]], Chunk]


def run_due(app: App, kinds: Mapping[str, Work]) -> None:
    """Works for a SLICE on what waits, the longest waiting first."""
    end = time.monotonic() + SLICE
    while time.monotonic() < end and run_chunk(app, kinds):
        pass


def run_chunk(app: App, kinds: Mapping[str, Work]) -> bool:
    """Does one chunk of one piece of work; returns whether there was any."""
    row = None
    try:
        with transaction(app) as tx:
            row = store.next_due(tx)
            if row is None:
                return False
            _note(tx, row, kinds[row.kind](app, tx, row))
    except Exception as error:
        if row is None:
            raise
        if isinstance(error, Refusal) and not passing(error):
            _fail(app, row, error.reason_name, error.detail)
        else:
            log.exception("operation_failed", kind=row.kind, attempt=row.attempts + 1)
            _try_later(app, row, error)
    return True


def _note(tx: Transaction, row: Row[Any], chunk: Chunk) -> None:
    values: dict[str, Any] = {
        "place": dict(chunk.place),
        "result": dict(chunk.result),
        "done": row.done + chunk.done,
        "attempts": 0,
        "total": row.total if chunk.total is None else chunk.total,
        "try_at": tx.now,  # behind others that wait
    }
    state = State.SUCCEEDED if chunk.last else State.RUNNING
    if row.state != state:
        values["state"] = int(state)
    store.change(tx, row.id, **values)


def _try_later(app: App, row: Row[Any], error: Exception) -> None:
    with transaction(app) as tx:
        waiting = store.put_off(tx, row.id, timedelta(seconds=2.0**row.attempts))
    if waiting is not None and waiting.attempts >= TRIES:
        reason = error.reason_name if isinstance(error, Refusal) else reason_name(reason_pb2.REASON_INTERNAL)
        _fail(app, row, reason, "")


def _fail(app: App, row: Row[Any], reason: str, text: str) -> None:
    with transaction(app) as tx:
        if store.get(tx, row.id, locked=True).state in store.OPEN:
            store.change(tx, row.id, state=int(State.FAILED), reason=reason, explanation=text)
