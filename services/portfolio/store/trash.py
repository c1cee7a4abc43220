"""Things that are put into a trash before they go for good, and the order that a person gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, Row, Table, case, select, update

from services.platform.db.transaction import Transaction
from services.portfolio.store.collection import Collection
from services.portfolio.store.columns import is_row
from services.portfolio.store.vault import Vault

M = TypeVar("M", bound=Message)
IN_TRASH = timedelta(days=30)


def finish(message: Any, row: Row[Any], _now: datetime) -> None:
    """Says of a message since when it is in the trash and when it goes from there."""
    message.ClearField("delete_time")  # of one that was changed where it lay, and taken out since
    message.ClearField("purge_time")
    if row.deleted_at is not None:
        message.delete_time.FromDatetime(row.deleted_at)
        message.purge_time.FromDatetime(row.deleted_at + IN_TRASH)


class Trashed(Collection[M]):
    """Things with a trash."""

    def trash(self, tx: Transaction, vault: Vault, row_id: str, at: datetime | None) -> M:
        """Puts a locked row into the trash, or with None takes it out; returns it as it will be read."""
        row = tx.execute(
            update(self.table)
            .where(is_row(self.table, vault.holder, row_id))
            .values(deleted_at=at, version=self.table.c.version + 1, updated_at=tx.now)
            .returning(self.table)
        ).one()
        return self.shown(tx, vault, row)

    def trash_all(self, tx: Transaction, vault: Vault, row_ids: Set[str]) -> list[M]:
        """Puts locked rows into the trash; returns them as they will be read."""
        these = (self.table.c.holder_id == vault.holder, self.table.c.id.in_(sorted(row_ids)))
        change = {"deleted_at": tx.now, "version": self.table.c.version + 1, "updated_at": tx.now}
        rows = tx.execute(update(self.table).where(*these).values(change).returning(self.table))
        return [self.shown(tx, vault, row) for row in rows]

    def all(self, tx: Transaction, vault: Vault) -> list[M]:
        """Returns everything that is not in the trash, in its order."""
        query = select(self.table).where(self.table.c.holder_id == vault.holder, self.untrashed())
        return [self.shown(tx, vault, row) for row in tx.execute(query.order_by(*self._order()))]

    def untrashed(self) -> ColumnElement[bool]:
        """Returns the condition of what is not in the trash."""
        return self.table.c.deleted_at.is_(None)


def newest_place(tx: Transaction) -> int:
    """Returns a place that is larger than any that was given before."""
    return int(tx.now.timestamp() * 1_000_000)


def put(tx: Transaction, table: Table, holder: str, row_ids: Sequence[str], places: Sequence[int]) -> None:
    """Puts rows of a holder at these places."""
    at: Mapping[str, int] = dict(zip(row_ids, places, strict=True))
    those = (table.c.holder_id == holder, table.c.id.in_(row_ids))
    tx.execute(update(table).where(*those).values(position=case(at, value=table.c.id)))
