"""Holder keys in the database: made, opened for one transaction, wrapped anew, erased."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import Table, delete, insert, select, update
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain.keys import HolderKey, KeyRing, WrappedKey
from services.portfolio.store.tables import holder_keys

M = TypeVar("M", bound=Message)


class Vault:
    """Seals and opens messages of one holder; lives as long as its transaction."""

    def __init__(self, key: HolderKey) -> None:
        self.holder = key.holder
        self.key = key

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
    """Opens a holder's key; raises Refusal(NOT_FOUND) when there is no such holder, or no key any more."""
    row = tx.execute(
        select(holder_keys.c.master_key_id, holder_keys.c.wrapped).where(holder_keys.c.holder_id == holder)
    ).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return Vault(keys.unwrap(holder, WrappedKey(row.master_key_id, row.wrapped)))


def open_vaults(tx: Transaction, keys: KeyRing, holders: Collection[str]) -> dict[str, Vault]:
    """Opens the keys of several holders in one statement; who has none any more is left out."""
    columns = (holder_keys.c.holder_id, holder_keys.c.master_key_id, holder_keys.c.wrapped)
    query = select(*columns).where(holder_keys.c.holder_id.in_(sorted(holders)))
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
