"""Reminders that are still to be told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select, tuple_

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store.planning_tables import reminders as table


class Due(NamedTuple):
    """A reminder that is due: of whom, of what, and since when (UTC)."""

    holder: str
    resource: str
    task: str
    at: datetime


def put(
    tx: Transaction, holder: str, segment: str, row_id: str, moments: Iterable[tuple[str, datetime]]
) -> None:
    """Replaces the reminders of a goal or a plan by those at these times (UTC), each with its task's id."""
    of_row = (table.c.holder_id == holder, table.c.segment == segment, table.c.row_id == row_id)
    tx.execute(delete(table).where(*of_row))
    place = {"holder_id": holder, "segment": segment, "row_id": row_id}
    rows = [{**place, "task": task, "remind_at": moment} for task, moment in moments]
    if rows:
        tx.execute(insert(table), rows)


def take_due(tx: Transaction, *, limit: int = 500) -> list[Due]:
    """Takes up to `limit` reminders that are due, the oldest first, so that nobody tells them again."""
    due = (
        select(table)
        .where(table.c.remind_at <= tx.now)
        .order_by(table.c.remind_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = tx.execute(due).all()
    if rows:
        key = table.primary_key.columns.values()
        taken = [tuple(getattr(row, column.name) for column in key) for row in rows]
        tx.execute(delete(table).where(tuple_(*key).in_(taken)))
    return [
        Due(
            names.holder(row.holder_id),
            names.child(row.holder_id, row.segment, row.row_id),
            row.task,
            row.remind_at,
        )
        for row in rows
    ]
