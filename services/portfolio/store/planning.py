"""The journal, goals and plans: things with a trash and one step of undo; goals and plans in an order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, Row, case, func, select, update
from waymark.portfolio.v1.goal_pb2 import Goal
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.plan_pb2 import Plan

from services.platform.db.transaction import Transaction
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import keeping
from services.portfolio.store import planning_tables as tables
from services.portfolio.store.collection import Collection, bare, check_room
from services.portfolio.store.columns import is_row
from services.portfolio.store.vault import Vault

M = TypeVar("M", bound=Message)
IN_TRASH = timedelta(days=30)
FORMER = "/former"


def _trashed(message: Any, row: Row[Any], _now: datetime) -> None:
    if row.deleted_at is not None:
        message.delete_time.FromDatetime(row.deleted_at)
        message.purge_time.FromDatetime(row.deleted_at + IN_TRASH)


class Kept(Collection[M]):
    """Things with a trash and one step of undo."""

    def change(self, tx: Transaction, vault: Vault, row_id: str, before: M, after: M) -> M:
        """Writes a new version of a locked row, and keeps what it said `before`, to be brought back."""
        former = vault.seal(self.table, _former(row_id), bare(before))
        return self.replace(tx, vault, row_id, after, former=former)

    def former(self, tx: Transaction, vault: Vault, row_id: str) -> M:
        """Returns what a locked row said before its last change; raises Refusal(WRONG_STATE)."""
        sealed = tx.execute(
            select(self.table.c.former).where(is_row(self.table, vault.holder, row_id))
        ).scalar_one()
        if sealed is None:
            raise wrong_state("NEVER_CHANGED", "CHANGED")
        return vault.open(self.table, _former(row_id), sealed, self._message)

    def trash(self, tx: Transaction, vault: Vault, row_id: str, at: datetime | None) -> M:
        """Puts a locked row into the trash, or with None takes it out; returns it as it will be read."""
        row = tx.execute(
            update(self.table)
            .where(is_row(self.table, vault.holder, row_id))
            .values(deleted_at=at, version=self.table.c.version + 1, updated_at=tx.now)
            .returning(self.table)
        ).one()
        return self.shown(tx, vault, row)

    def all(self, tx: Transaction, vault: Vault) -> list[M]:
        """Returns everything that is not in the trash, in its order."""
        query = select(self.table).where(self.table.c.holder_id == vault.holder, self.untrashed())
        return [self.shown(tx, vault, row) for row in tx.execute(query.order_by(*self._order()))]

    def untrashed(self) -> ColumnElement[bool]:
        """Returns the condition of what is not in the trash."""
        return self.table.c.deleted_at.is_(None)


class Arranged(Kept[M]):
    """Things with a trash, one step of undo, and an order; what is added comes last."""

    def append(self, tx: Transaction, vault: Vault, message: M, **columns: Any) -> M:
        """Adds a message as the last one."""
        return super().append(tx, vault, message, position=_last(tx), **columns)

    def append_all(self, tx: Transaction, vault: Vault, messages: Sequence[M]) -> list[M]:
        """Adds messages as the last ones, in their order; raises Refusal(QUOTA_EXCEEDED)."""
        check_room(tx, self.table, vault.holder, len(messages))
        add, first = super().append, _last(tx)
        return [add(tx, vault, each, position=first + index) for index, each in enumerate(messages)]

    def arrange(self, tx: Transaction, holder: str, row_ids: Sequence[str]) -> None:
        """Puts rows before all others of a holder, in this order."""
        first = select(func.min(self.table.c.position)).where(self.table.c.holder_id == holder)
        begin = tx.execute(first).scalar_one() - len(row_ids)
        places = {row_id: begin + index for index, row_id in enumerate(row_ids)}
        those = (self.table.c.holder_id == holder, self.table.c.id.in_(row_ids))
        tx.execute(update(self.table).where(*those).values(position=case(places, value=self.table.c.id)))

    def _order(self) -> Sequence[ColumnElement[Any]]:
        return [self.table.c.position, self.table.c.id]


JOURNAL: Kept[JournalEntry] = Kept(tables.journal_entries, "journalEntries", JournalEntry, _trashed)
GOALS: Arranged[Goal] = Arranged(tables.goals, "goals", Goal, _trashed)
PLANS: Arranged[Plan] = Arranged(tables.plans, "plans", Plan, _trashed)


def purge(tx: Transaction, *, limit: int = 500) -> int:
    """Removes up to `limit` rows of each kind that have been in the trash for long; returns how many. What a
    legal hold keeps stays until it is lifted."""
    return sum(
        keeping.purge(tx, table, table.c.deleted_at < tx.now - IN_TRASH, limit=limit)
        for table in (tables.journal_entries, tables.goals, tables.plans)
    )


def _last(tx: Transaction) -> int:
    """Returns a place that is larger than any that was given before, and than any that `arrange` gives."""
    return int(tx.now.timestamp() * 1_000_000)


def _former(row_id: str) -> str:
    """The place of a former version, so that neither opens in the place of the other."""
    return f"{row_id}{FORMER}"
