"""The journal, goals and plans: things with a trash and one step of undo; goals and plans in an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, func, select
from waymark.portfolio.v1.goal_pb2 import Goal
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.plan_pb2 import Plan

from services.platform.db.transaction import Transaction
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import planning_tables as tables
from services.portfolio.store.collection import bare, check_room
from services.portfolio.store.columns import is_row
from services.portfolio.store.trash import Trashed, finish, newest_place, put
from services.portfolio.store.vault import Vault

M = TypeVar("M", bound=Message)
FORMER = "/former"


class Kept(Trashed[M]):
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


class Arranged(Kept[M]):
    """Things with a trash, one step of undo, and an order; what is added comes last."""

    def append(self, tx: Transaction, vault: Vault, message: M, **columns: Any) -> M:
        """Adds a message as the last one."""
        return super().append(tx, vault, message, position=newest_place(tx), **columns)

    def append_all(self, tx: Transaction, vault: Vault, messages: Sequence[M]) -> list[M]:
        """Adds messages as the last ones, in their order; raises Refusal(QUOTA_EXCEEDED)."""
        check_room(tx, self.table, vault.holder, len(messages))
        add, first = super().append, newest_place(tx)
        return [add(tx, vault, each, position=first + index) for index, each in enumerate(messages)]

    def arrange(self, tx: Transaction, holder: str, row_ids: Sequence[str]) -> None:
        """Puts rows before all others of a holder, in this order."""
        first = select(func.min(self.table.c.position)).where(self.table.c.holder_id == holder)
        begin = tx.execute(first).scalar_one() - len(row_ids)
        put(tx, self.table, holder, row_ids, range(begin, begin + len(row_ids)))

    def _order(self) -> Sequence[ColumnElement[Any]]:
        return [self.table.c.position, self.table.c.id]


JOURNAL: Kept[JournalEntry] = Kept(tables.journal_entries, "journalEntries", JournalEntry, finish)
GOALS: Arranged[Goal] = Arranged(tables.goals, "goals", Goal, finish)
PLANS: Arranged[Plan] = Arranged(tables.plans, "plans", Plan, finish)


def _former(row_id: str) -> str:
    """The place of a former version, so that neither opens in the place of the other."""
    return f"{row_id}{FORMER}"
