"""Rows of a holder that are one sealed message each: entries, skill claims, evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, Row, Table, delete, func, insert, select, update
from waymark.errors.v1 import reason_pb2

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import Page, PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names, quotas
from services.portfolio.store import keeping
from services.portfolio.store.columns import is_row
from services.portfolio.store.vault import Vault

M = TypeVar("M", bound=Message)


class Paged(NamedTuple, Generic[M]):
    """One page of messages; the token is empty on the last."""

    messages: list[M]
    next_page_token: str


class Collection(Generic[M]):
    """One table. `segment`: its part of the resource name. `finish(message, row, now)` fills in what other
    columns or the day say."""

    def __init__(
        self,
        table: Table,
        segment: str,
        message: type[M],
        finish: Callable[[M, Row[Any], datetime], None] | None = None,
    ) -> None:
        self.table = table
        self.segment = segment
        self._message = message
        self._finish = finish

    def add(self, tx: Transaction, vault: Vault, message: M, *, row_id: str = "", **columns: Any) -> M:
        """Adds a message, under a new id unless one is given, and returns it as it will be read; raises
        Refusal(QUOTA_EXCEEDED)."""
        check_room(tx, self.table, vault.holder)
        return self.append(tx, vault, message, row_id=row_id, **columns)

    def append(self, tx: Transaction, vault: Vault, message: M, *, row_id: str = "", **columns: Any) -> M:
        """Adds like `add`, whatever the quota: for what must never be refused."""
        row_id = row_id or new_id()
        row = tx.execute(
            insert(self.table)
            .values(
                holder_id=vault.holder,
                id=row_id,
                sealed=self._sealed(vault, row_id, message),
                created_at=tx.now,
                updated_at=tx.now,
                **columns,
            )
            .returning(self.table)
        ).one()
        return self.shown(tx, vault, row)

    def add_all(self, tx: Transaction, vault: Vault, made: Sequence[tuple[M, dict[str, Any]]]) -> list[str]:
        """Adds messages with their columns under new ids, the last one as the newest, in one statement, and
        returns their names; raises Refusal(QUOTA_EXCEEDED)."""
        if made:
            check_room(tx, self.table, vault.holder, len(made))
        return self.put_all(tx, vault, made)

    def put_all(self, tx: Transaction, vault: Vault, made: Sequence[tuple[M, dict[str, Any]]]) -> list[str]:
        """Adds like `add_all`, whatever the quota: for what is limited elsewhere."""
        if not made:
            return []
        times = {"holder_id": vault.holder, "created_at": tx.now, "updated_at": tx.now}
        ids = sorted(new_id() for _ in made)  # those of one millisecond come in any order
        rows = [
            {**times, "id": row_id, "sealed": self._sealed(vault, row_id, message), **columns}
            for row_id, (message, columns) in zip(ids, made, strict=True)
        ]
        tx.execute(insert(self.table), rows)
        return [names.child(vault.holder, self.segment, row_id) for row_id in ids]

    def get(self, tx: Transaction, vault: Vault, row_id: str, *, etag: str = "", lock: bool = False) -> M:
        """Returns a message, `lock`ed until the end of the transaction.

        Raises Refusal(NOT_FOUND), or ETAG_STALE when `etag` is given and is not the row's.
        """
        query = select(self.table).where(is_row(self.table, vault.holder, row_id))
        row = tx.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        check_etag(etag, row.version)
        return self.shown(tx, vault, row)

    def page(
        self,
        tx: Transaction,
        signer: PageTokenSigner,
        vault: Vault,
        request: Any,
        *conditions: ColumnElement[bool],
        **equal: Any,
    ) -> Paged[M]:
        """Returns a page of the rows whose columns `equal` the given values and which meet the conditions."""
        query = select(self.table).where(self.table.c.holder_id == vault.holder, *conditions)
        for column, value in equal.items():
            query = query.where(self.table.c[column] == value)
        found: Page = page(
            tx,
            signer,
            query,
            order_by=self._order(),
            request=request,
            filters={"holder": vault.holder, **equal},
        )
        return Paged([self.shown(tx, vault, row) for row in found.rows], found.next_page_token)

    def newest(
        self, tx: Transaction, vault: Vault, limit: int = 500, *, gone: bool = False, **equal: Any
    ) -> list[M]:
        """Returns the first messages whose columns `equal` the given values; `gone`: also those that are
        in a trash, or taken back."""
        seen = () if gone else self._there()
        query = select(self.table).where(self.table.c.holder_id == vault.holder, *seen)
        for column, value in equal.items():
            query = query.where(self.table.c[column] == value)
        rows = tx.execute(query.order_by(*self._order()).limit(limit)).all()
        return [self.shown(tx, vault, row) for row in rows]

    def contents(self, tx: Transaction, vault: Vault, **equal: Any) -> list[M]:
        """Returns all messages whose columns `equal` the given values as they were sealed, without what
        their rows say: for what is worked out over a whole portfolio, in half the time."""
        query = select(self.table.c.id, self.table.c.sealed)
        query = query.where(self.table.c.holder_id == vault.holder, *self._there())
        for column, value in equal.items():
            query = query.where(self.table.c[column] == value)
        rows = tx.execute(query).all()
        return [vault.open(self.table, row.id, row.sealed, self._message) for row in rows]

    def some(self, tx: Transaction, vault: Vault, row_ids: set[str], *, lock: bool = False) -> list[M]:
        """Returns the messages with these ids, in their order, `lock`ed until the transaction is over; what
        the holder does not have is left out."""
        rows = select(self.table).where(
            self.table.c.holder_id == vault.holder, self.table.c.id.in_(sorted(row_ids)), *self._there()
        )
        rows = rows.order_by(self.table.c.id)
        found = tx.execute(rows.with_for_update() if lock else rows).all() if row_ids else []
        return [self.shown(tx, vault, row) for row in found]

    def replace(self, tx: Transaction, vault: Vault, row_id: str, message: M, **columns: Any) -> M:
        """Writes a new version of a locked row and returns it as it will be read."""
        row = tx.execute(
            update(self.table)
            .where(is_row(self.table, vault.holder, row_id))
            .values(
                sealed=self._sealed(vault, row_id, message),
                version=self.table.c.version + 1,
                updated_at=tx.now,
                **columns,
            )
            .returning(self.table)
        ).one()
        return self.shown(tx, vault, row)

    def noted(self, tx: Transaction, vault: Vault, row_id: str, **columns: Any) -> M:
        """Writes columns beside the sealed message of a locked row, which stays at its version and time."""
        row = tx.execute(
            update(self.table)
            .where(is_row(self.table, vault.holder, row_id))
            .values(**columns)
            .returning(self.table)
        ).one()
        return self.shown(tx, vault, row)

    def remove(self, tx: Transaction, holder: str, row_id: str, etag: str = "") -> None:
        """Removes a row for good; raises Refusal(NOT_FOUND, ETAG_STALE or ERASURE_HELD)."""
        keeping.require_none(tx, holder)
        version = tx.execute(
            delete(self.table).where(is_row(self.table, holder, row_id)).returning(self.table.c.version)
        ).scalar_one_or_none()
        if version is None:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        check_etag(etag, version)

    def remove_all(self, tx: Transaction, holder: str, row_ids: Set[str]) -> None:
        """Removes rows for good, those that are there; raises Refusal(ERASURE_HELD)."""
        keeping.require_none(tx, holder)
        these = (self.table.c.holder_id == holder, self.table.c.id.in_(sorted(row_ids)))
        tx.execute(delete(self.table).where(*these))

    def missing(self, tx: Transaction, holder: str, row_ids: set[str]) -> set[str]:
        """Returns those of `row_ids` that the holder does not have; those there are cannot go before the
        transaction is over, so that what then names them names something."""
        query = select(self.table.c.id).where(
            self.table.c.holder_id == holder, self.table.c.id.in_(sorted(row_ids)), *self._there()
        )
        kept = query.order_by(self.table.c.id).with_for_update(read=True, key_share=True)
        return row_ids - set(tx.execute(kept).scalars()) if row_ids else set()

    def _order(self) -> Sequence[ColumnElement[Any]]:
        """What pages are ordered by: newest first."""
        return [self.table.c.id.desc()]

    def _there(self) -> Sequence[ColumnElement[bool]]:
        """What a row must meet to be found by more than its name: not to be in a trash, nor taken back."""
        return ()

    def _sealed(self, vault: Vault, row_id: str, message: M) -> bytes:
        return vault.seal(self.table, row_id, bare(message))

    def shown(self, tx: Transaction, vault: Vault, row: Row[Any]) -> M:
        """Returns the message of a row of the table."""
        message = vault.open(self.table, row.id, row.sealed, self._message)
        fill(message, names.child(vault.holder, self.segment, row.id), row)
        if self._finish:
            self._finish(message, row, tx.now)
        return message


def page_of(
    tx: Transaction,
    signer: PageTokenSigner,
    table: Table,
    holder: str,
    request: Any,
    columns: Sequence[Any] = (),
) -> Page:
    """Returns a page of a holder's rows, or of these columns of them, newest first: of what is read without
    the holder's key, too."""
    query = select(*columns or (table,)).where(table.c.holder_id == holder)
    filters = {"holder": holder}
    return page(tx, signer, query, order_by=[table.c.id.desc()], request=request, filters=filters)


def check_room(tx: Transaction, table: Table, holder: str, more: int = 1) -> None:
    """Raises Refusal(QUOTA_EXCEEDED) unless a portfolio can take so many more rows of a table."""
    held = select(func.count()).select_from(table).where(table.c.holder_id == holder)
    quotas.check(table.name, tx.execute(held).scalar_one() + more - 1)


def bare(message: M) -> M:
    """Returns a copy without what `fill` takes from the row, as it is sealed."""
    copy = type(message)()
    copy.CopyFrom(message)
    for field in ("name", "etag", "create_time", "update_time", "delete_time", "purge_time"):
        if field in copy.DESCRIPTOR.fields_by_name:
            copy.ClearField(field)
    return copy


def fill(message: Any, name: str, row: Row[Any]) -> None:
    """Fills in what each resource takes from its row: name, etag and times."""
    message.name = name
    message.create_time.FromDatetime(row.created_at)
    fields = message.DESCRIPTOR.fields_by_name
    if "etag" in fields:
        message.etag = etag_of(row.version)
    if "update_time" in fields:
        message.update_time.FromDatetime(row.updated_at)
