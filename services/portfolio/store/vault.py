"""Holder keys in the database: made, opened for one transaction, wrapped anew, erased."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, Table, and_, delete, func, insert, or_, select, update
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain.keys import HolderKey, KeyRing, WrappedKey
from services.portfolio.store.tables import holder_keys

M = TypeVar("M", bound=Message)


class Vault:
    """Seals and opens messages of one holder; lives as long as its transaction."""

    def __init__(self, key: HolderKey, restricted_at: datetime | None = None) -> None:
        self.holder = key.holder
        self.key = key
        self.restricted_at = restricted_at  # UTC; None: not restricted

    def seal(self, table: Table, row: str, message: Message) -> bytes:
        """Returns the message sealed for its place."""
        return self.key.seal(table.name, row, message.SerializeToString())

    def open(self, table: Table, row: str, sealed: bytes, message: type[M]) -> M:
        """Returns what was sealed; raises SealBrokenError when it was altered or lay elsewhere."""
        return message.FromString(self.key.open(table.name, row, sealed))


def create_vault(tx: Transaction, keys: KeyRing, holder: str) -> Vault:
    """Makes and stores the data key of a holder who is being created."""
    wrapped = keys.new_key(holder)
    tx.execute(insert(holder_keys).values(holder_id=holder, created_at=tx.now, **wrapped._asdict()))
    return Vault(keys.unwrap(holder, wrapped))


def open_vault(tx: Transaction, keys: KeyRing, holder: str) -> Vault:
    """Opens a holder's key for the caller.

    Raises Refusal(NOT_FOUND) when there is no such holder, or no key any more, and PROCESSING_RESTRICTED for
    anybody but the holder while the portfolio is restricted: without the key nothing can be read.
    """
    vault = open_at_desk(tx, keys, holder)
    if vault.restricted_at and tx.principal.subject != holder:
        raise Refusal(reason_pb2.REASON_PROCESSING_RESTRICTED)
    return vault


def open_at_desk(tx: Transaction, keys: KeyRing, holder: str) -> Vault:
    """Opens a holder's key, restricted or not, for what the office and the holder write to each other about
    the holder's rights; raises Refusal(NOT_FOUND)."""
    table = holder_keys.c
    row = tx.one(
        select(table.master_key_id, table.wrapped, table.restricted_at).where(table.holder_id == holder)
    )
    key = keys.unwrap(holder, WrappedKey(row.master_key_id, row.wrapped))
    return Vault(key, row.restricted_at)


def find_vault(tx: Transaction, keys: KeyRing, holder: str) -> Vault | None:
    """Opens a holder's key as `open_at_desk` does; None when there is none any more."""
    try:
        return open_at_desk(tx, keys, holder)
    except Refusal:
        return None


def restrict(tx: Transaction, holder: str, since: datetime | None) -> None:
    """Keeps a holder's key from everybody else `since` (UTC), or from nobody with None; one restricted before
    keeps its time. Raises Refusal(NOT_FOUND)."""
    at = func.coalesce(holder_keys.c.restricted_at, since) if since else None
    same = holder_keys.c.holder_id == holder
    if not tx.execute(update(holder_keys).where(same).values(restricted_at=at)).rowcount:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)


def refuse_restricted(tx: Transaction, holder: str) -> None:
    """Raises Refusal(PROCESSING_RESTRICTED) while a portfolio is restricted."""
    if tx.execute(select(holder_keys.c.holder_id).where(is_restricted(holder))).first():
        raise Refusal(reason_pb2.REASON_PROCESSING_RESTRICTED)


def is_restricted(holder: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Returns the condition of a key of `holder`, a value or a column, that is restricted."""
    return and_(holder_keys.c.holder_id == holder, holder_keys.c.restricted_at.is_not(None))


def open_vaults(tx: Transaction, keys: KeyRing, holders: Collection[str]) -> dict[str, Vault]:
    """Opens the keys of several holders in one statement; who has none any more is left out, and so is who
    has restricted theirs, unless it is the caller."""
    columns = (holder_keys.c.holder_id, holder_keys.c.master_key_id, holder_keys.c.wrapped)
    open_to = or_(holder_keys.c.restricted_at.is_(None), holder_keys.c.holder_id == tx.principal.subject)
    query = select(*columns).where(holder_keys.c.holder_id.in_(sorted(holders)), open_to)
    return {
        row.holder_id: Vault(keys.unwrap(row.holder_id, WrappedKey(row.master_key_id, row.wrapped)))
        for row in (tx.execute(query) if holders else ())
    }


def erase_key(tx: Transaction, holder: str) -> bool:
    """Erases a holder's key and all that is sealed under it; copies elsewhere stay unreadable for good.

    False: there was none.
    """
    return tx.execute(delete(holder_keys).where(holder_keys.c.holder_id == holder)).rowcount == 1


def rewrap(tx: Transaction, keys: KeyRing, *, limit: int = 500) -> int:
    """Wraps up to `limit` data keys under the current master key that still are under another; returns how
    many."""
    rows = tx.execute(
        select(holder_keys.c.holder_id, holder_keys.c.master_key_id, holder_keys.c.wrapped)
        .where(holder_keys.c.master_key_id != keys.current_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        fresh = keys.rewrap(row.holder_id, WrappedKey(row.master_key_id, row.wrapped))
        same = holder_keys.c.holder_id == row.holder_id
        tx.execute(update(holder_keys).where(same).values(**fresh._asdict()))
    return len(rows)
