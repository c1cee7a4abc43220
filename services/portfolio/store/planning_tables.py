"""Tables of what a holder writes and plans: the journal, goals, plans with their tasks, and reminders."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, Table, Text, text

from services.portfolio.store.columns import id_, metadata, owner, sealed, time, version


def _kept(name: str, *more: Any) -> Table:
    """A table of things with a trash and one step of undo."""
    return Table(
        name,
        metadata,
        owner(),
        id_(),
        version(),
        sealed(),
        Column("former", LargeBinary),  # what it said before the last change
        time("created_at"),
        time("updated_at"),
        time("deleted_at", nullable=True),  # set: in the trash
        Index(f"{name}_trash", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        *more,
    )


def _in_order(name: str) -> Table:
    place = Column("position", BigInteger, nullable=False)
    return _kept(name, place, Index(f"{name}_order", "holder_id", "position", "id"))


journal_entries = _kept("journal_entries")
goals = _in_order("goals")
plans = _in_order("plans")

# Reminders that are still to be told; `task` is empty for a goal.
reminders = Table(
    "reminders",
    metadata,
    owner(),
    Column("segment", Text, primary_key=True),  # `goals` or `plans`
    Column("row_id", Text, primary_key=True),
    Column("task", Text, primary_key=True),
    Column("remind_at", DateTime(timezone=True), primary_key=True),
    Index("reminders_due", "remind_at"),
)
