"""What a legal hold keeps: while one on a holder is in force, nothing of theirs is destroyed for good.

Who destroys and who sets a hold lock the holder's key against each other, and only against each other, so
that whichever comes second sees the first. Who overwrites does it too, in the database: there the triggers of
migration 0016 keep what was said before (`kept_contents`).
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Table, delete, exists, select, tuple_
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.store.rights_tables import legal_holds
from services.portfolio.store.tables import holder_keys


def begin(tx: Transaction, holder: str) -> None:
    """Waits for what is being destroyed of a holder's, and lets nothing more go until the transaction, which
    sets a hold, is over."""
    key = select(holder_keys.c.holder_id).where(holder_keys.c.holder_id == holder)
    tx.execute(key.with_for_update(key_share=True))


def settle(tx: Transaction, holders: Collection[str]) -> None:
    """Waits for holds on these holders that are being set, and lets none begin until the transaction is over;
    ask for those in force afterwards, in a statement of its own."""
    keys = select(holder_keys.c.holder_id).where(holder_keys.c.holder_id.in_(sorted(holders)))
    tx.execute(keys.order_by(holder_keys.c.holder_id).with_for_update(read=True))


def is_held(holder: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Returns the condition of a hold in force on `holder`, a value or a column."""
    return exists().where(legal_holds.c.holder_id == holder, legal_holds.c.lifted_at.is_(None))


def require_none(tx: Transaction, holder: str) -> None:
    """Raises Refusal(ERASURE_HELD) while a hold on a holder is in force; until the transaction is over none
    begins."""
    settle(tx, [holder])
    if tx.execute(select(is_held(holder))).scalar_one():
        raise Refusal(reason_pb2.REASON_ERASURE_HELD)


def purge(tx: Transaction, table: Table, *when: ColumnElement[bool], limit: int) -> int:
    """Removes up to `limit` rows of a table that meet the conditions and that no hold keeps; returns how
    many."""
    due = (*when, ~is_held(table.c.holder_id))
    rows = tx.execute(select(table.c.holder_id, table.c.id).where(*due).limit(limit))
    found = [(row.holder_id, row.id) for row in rows]
    if not found:
        return 0
    settle(tx, {holder for holder, _ in found})  # before any row is locked, as everybody does
    return tx.execute(delete(table).where(tuple_(table.c.holder_id, table.c.id).in_(found), *due)).rowcount
