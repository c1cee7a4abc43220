"""Entries: with a trash, former versions, and an order in which the newest comes first until arranged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from waymark.portfolio.v1.entry_pb2 import Entry

from services.platform.db.transaction import Transaction
from services.portfolio.store import tables
from services.portfolio.store.trash import Trashed, finish, newest_place, put
from services.portfolio.store.vault import Vault


class Entries(Trashed[Entry]):
    """What is in the trash is found by its name and in lists that ask for it, and is nowhere else."""

    def append(self, tx: Transaction, vault: Vault, message: Entry, **columns: Any) -> Entry:
        """Adds an entry before all others."""
        return super().append(tx, vault, message, position=newest_place(tx), **columns)

    def add_all(
        self, tx: Transaction, vault: Vault, made: Sequence[tuple[Entry, dict[str, Any]]]
    ) -> list[str]:
        """Adds entries before all others, the last one first; raises Refusal(QUOTA_EXCEEDED)."""
        place = {"position": newest_place(tx)}  # the same for all: then the newest comes first
        return super().add_all(tx, vault, [(entry, columns | place) for entry, columns in made])

    def arrange(self, tx: Transaction, holder: str, row_ids: Sequence[str]) -> None:
        """Puts entries before all others of a holder, in this order."""
        last = select(func.max(self.table.c.position)).where(self.table.c.holder_id == holder)
        top = tx.execute(last).scalar_one() + len(row_ids)
        put(tx, self.table, holder, row_ids, range(top, top - len(row_ids), -1))

    def _order(self) -> Sequence[ColumnElement[Any]]:
        return [self.table.c.position.desc(), self.table.c.id.desc()]

    def _there(self) -> Sequence[ColumnElement[bool]]:
        return (self.untrashed(),)


ENTRIES = Entries(tables.entries, "entries", Entry, finish)
