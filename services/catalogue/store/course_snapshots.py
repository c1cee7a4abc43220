"""Statements on snapshots of courses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from waymark.catalogue.v1.course_snapshot_pb2 import CourseSnapshot

from services.catalogue.store.tables import course_snapshots
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction

BUCKET = "waymark-catalogue-snapshots"
OPEN = (CourseSnapshot.STATE_QUEUED, CourseSnapshot.STATE_RUNNING)
_s = course_snapshots.c


class Part(NamedTuple):
    """A file of a snapshot: bytes, SHA-256 (hex), lines."""

    size: int
    sha256: str
    courses: int


def key(snapshot: str, number: int) -> str:
    """Returns the key of the object that holds a part."""
    return f"{snapshot}-{number:05}"


def ask(tx: Transaction) -> Row[Any]:
    """Returns the snapshot that is being made, queued now where there was none."""
    values = {"id": new_id(), "state": CourseSnapshot.STATE_QUEUED}
    tx.execute(insert(course_snapshots).values(values).on_conflict_do_nothing())
    return tx.one(select(course_snapshots).where(_s.state.in_(OPEN)))


def ask_if_older(tx: Transaction, age: timedelta) -> None:
    """Queues a snapshot when the newest that was asked for is older than `age`, or there is none."""
    newest = tx.execute(select(func.max(_s.create_time))).scalar()
    if newest is None or newest < tx.now - age:
        ask(tx)


def waiting(tx: Transaction) -> Row[Any] | None:
    """Returns the snapshot to make, if there is one."""
    return tx.execute(select(course_snapshots).where(_s.state.in_(OPEN))).first()


def read(tx: Transaction, snapshot: str) -> Row[Any]:
    """Returns the snapshot; raises Refusal(NOT_FOUND)."""
    return tx.one(select(course_snapshots).where(_s.id == snapshot))


def listing() -> Select[Any]:
    """Selects snapshots."""
    return select(course_snapshots)


def change(tx: Transaction, snapshot: str, **values: Any) -> None:
    """Changes columns, `state_time` with the state."""
    if "state" in values:
        values["state_time"] = func.now()
    tx.execute(update(course_snapshots).where(_s.id == snapshot).values(**values))


def outdated(tx: Transaction, kept: int) -> Sequence[Row[Any]]:
    """Returns what has come to an end and is older than the newest `kept` that have succeeded."""
    good = select(_s.id).where(_s.state == CourseSnapshot.STATE_SUCCEEDED).order_by(_s.id.desc()).limit(kept)
    return tx.execute(select(course_snapshots).where(_s.id.not_in(good), _s.state.not_in(OPEN))).all()


def keys(tx: Transaction) -> set[str]:
    """Returns the keys of all objects that hold a part."""
    rows = tx.execute(select(_s.id, func.jsonb_array_length(_s.parts).label("parts")))
    return {key(row.id, number) for row in rows for number in range(1, row.parts + 1)}


def forget(tx: Transaction, snapshot: str) -> None:
    """Removes a snapshot."""
    tx.execute(delete(course_snapshots).where(_s.id == snapshot))
