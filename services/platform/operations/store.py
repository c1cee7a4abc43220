"""Statements on long-running work, and what may be done with it in which state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from waymark.errors.v1 import reason_pb2

from services.platform.db.etags import check_etag
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.operations.table import operations

_o = operations.c


class State(IntEnum):
    """Where work stands. The last three are ends, and of these SUCCEEDED is final."""

    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELLED = 5


OPEN = (State.QUEUED, State.RUNNING)


def add(tx: Transaction, kind: str, argument: Mapping[str, Any], total: int) -> Row[Any]:
    """Queues work for the caller; `total` is how many things there are to do, 0 while nobody knows."""
    values = {
        "id": new_id(),
        "kind": kind,
        "state": int(State.QUEUED),
        "requested_by": tx.principal.subject,
        "argument": dict(argument),
        "total": total,
    }
    return tx.execute(insert(operations).values(values).returning(operations)).one()


def get(tx: Transaction, operation: str, *, locked: bool = False) -> Row[Any]:
    """Returns the row; raises Refusal(NOT_FOUND)."""
    statement = select(operations).where(_o.id == operation)
    return tx.one(statement.with_for_update() if locked else statement)


def listed(kind: str) -> Select[Any]:
    """Returns the statement for work, of one kind or (empty) any."""
    return select(operations).where(_o.kind == kind) if kind else select(operations)


def cancel(tx: Transaction, operation: str, etag: str = "") -> Row[Any]:
    """Stops work after the chunk under way, which this waits for. What is cancelled already stays so.

    Raises Refusal: NOT_FOUND, ETAG_STALE, WRONG_STATE.
    """
    row = get(tx, operation, locked=True)
    check_etag(etag, row.version)
    if row.state == State.CANCELLED:
        return row
    _need(row, OPEN)
    return change(tx, operation, state=int(State.CANCELLED))


def resume(tx: Transaction, operation: str, etag: str = "") -> Row[Any]:
    """Lets work that was cancelled or failed go on where it stopped.

    Raises Refusal: NOT_FOUND, ETAG_STALE, WRONG_STATE.
    """
    row = get(tx, operation, locked=True)
    check_etag(etag, row.version)
    _need(row, (State.CANCELLED, State.FAILED))
    fresh = {"attempts": 0, "reason": "", "explanation": "", "try_at": func.now()}
    return change(tx, operation, state=int(State.QUEUED), **fresh)


def next_due(tx: Transaction) -> Row[Any] | None:
    """Returns and locks the open work that has waited longest and that nobody else is at."""
    statement = (
        select(operations)
        .where(_o.state.in_(OPEN), _o.try_at <= func.now())
        .order_by(_o.try_at, _o.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return tx.execute(statement).one_or_none()


def change(tx: Transaction, operation: str, **values: Any) -> Row[Any]:
    """Changes columns, `state_at` with the state; returns the row."""
    if "state" in values:
        values["state_at"] = func.now()
    statement = (
        update(operations)
        .where(_o.id == operation)
        .values(**values, version=_o.version + 1)
        .returning(operations)
    )
    return tx.execute(statement).one()


def put_off(tx: Transaction, operation: str, pause: timedelta) -> Row[Any] | None:
    """Notes a failed try of open work, the next one after `pause`; None when it was ended meanwhile."""
    statement = (
        update(operations)
        .where(_o.id == operation, _o.state.in_(OPEN))
        .values(attempts=_o.attempts + 1, try_at=func.now() + pause)
        .returning(operations)
    )
    return tx.execute(statement).one_or_none()


def _need(row: Row[Any], states: tuple[State, ...]) -> None:
    if row.state not in states:
        needed = " or ".join(state.name for state in states)
        metadata = {"state": State(row.state).name, "needed": needed}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
