"""What an office drafts in numbered versions, a second person publishes, and nobody changes any more."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Row, Table, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2

from services.platform.db.etags import check_etag
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names
from services.portfolio.domain.states import wrong_state
from services.portfolio.store.collection import Paged, bare, fill

M = TypeVar("M", bound=Message)
ANY = "-"
_DRAFT, _PUBLISHED = 1, 2  # as the State of every such message says


class Editions(Generic[M]):
    """One table. `collection`: the first part of the names, `frameworks/{id}/versions/{number}`."""

    def __init__(self, table: Table, collection: str, message: type[M]) -> None:
        self.table = table
        self._collection = collection
        self._message = message

    def draft(self, tx: Transaction, parent: str, wanted: M) -> M:
        """Adds the next version and returns it; raises Refusal(ALREADY_EXISTS) when another came between."""
        (id_,) = names.parse(parent, self._collection)
        last = select(func.coalesce(func.max(self.table.c.number), 0)).where(self.table.c.id == id_)
        values = {
            "id": id_,
            "number": tx.execute(last).scalar_one() + 1,
            "content": bare(wanted).SerializeToString(),
            "drafted_by": [tx.principal.subject],
            "created_at": tx.now,
            "updated_at": tx.now,
        }
        try:
            return self._shown(tx.execute(insert(self.table).values(values).returning(self.table)).one())
        except IntegrityError:
            raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None

    def lock(self, tx: Transaction, name: str, etag: str) -> M:
        """Locks a draft and returns it; raises Refusal(NOT_FOUND, ETAG_STALE, WRONG_STATE)."""
        row = tx.one(select(self.table).where(*self._is(name)).with_for_update())
        check_etag(etag, row.version)
        if row.published_by is not None:
            raise wrong_state("PUBLISHED", "DRAFT")
        return self._shown(row)

    def change(self, tx: Transaction, name: str, wanted: M) -> M:
        """Replaces what a locked draft says; the caller is from now on one of those who drafted it."""
        by = func.array_append(
            func.array_remove(self.table.c.drafted_by, tx.principal.subject), tx.principal.subject
        )
        return self._write(
            tx, name, content=bare(wanted).SerializeToString(), drafted_by=by, updated_at=tx.now
        )

    def publish(self, tx: Transaction, name: str) -> M:
        """Publishes a locked draft in the name of the caller; raises Refusal(SAME_PERSON)."""
        if tx.principal.subject in self.drafters(tx, name):
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        return self._write(
            tx, name, published_by=tx.principal.subject, published_at=tx.now, updated_at=tx.now
        )

    def drafters(self, tx: Transaction, name: str) -> list[str]:
        """Returns everybody who had a hand in a version."""
        found = tx.one(select(self.table.c.drafted_by).where(*self._is(name)))
        return list(found.drafted_by)

    def get(self, tx: Transaction, name: str) -> M:
        """Returns a version that the caller may see; raises Refusal(NOT_FOUND)."""
        return self._shown(tx.one(select(self.table).where(*self._is(name), *self._visible(tx))))

    def published(self, tx: Transaction, name: str) -> M | None:
        """Returns a published version, None when there is none of the name."""
        try:
            where = self._is(name)
        except Refusal:
            return None
        row = tx.execute(
            select(self.table).where(*where, self.table.c.published_by.is_not(None))
        ).one_or_none()
        return None if row is None else self._shown(row)

    def page(self, tx: Transaction, signer: PageTokenSigner, request: Any) -> Paged[M]:
        """Returns a page of what the caller may see, of one id or of all, by id and number."""
        (id_,) = names.parse(request.parent, self._collection)
        query = select(self.table).where(*self._visible(tx))
        found = page(
            tx,
            signer,
            query if id_ == ANY else query.where(self.table.c.id == id_),
            order_by=[self.table.c.id, self.table.c.number],
            request=request,
            filters={"parent": request.parent},
        )
        return Paged([self._shown(row) for row in found.rows], found.next_page_token)

    def _write(self, tx: Transaction, name: str, **columns: Any) -> M:
        changed = update(self.table).where(*self._is(name))
        columns["version"] = self.table.c.version + 1
        return self._shown(tx.execute(changed.values(columns).returning(self.table)).one())

    def _visible(self, tx: Transaction) -> list[Any]:
        """Conditions of what the caller may see: drafts are for those who draft."""
        drafts = options_pb2.ROLE_CATALOGUE_MANAGER in tx.principal.roles
        return [] if drafts else [self.table.c.published_by.is_not(None)]

    def _is(self, name: str) -> tuple[Any, Any]:
        id_, number = names.parse(name, self._collection, "versions")
        if not number.isdecimal() or len(number) > 9:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        return self.table.c.id == id_, self.table.c.number == int(number)

    def _shown(self, row: Row[Any]) -> M:
        message: Any = self._message.FromString(row.content)
        fill(message, f"{self._collection}/{row.id}/versions/{row.number}", row)
        message.state = _DRAFT if row.published_at is None else _PUBLISHED
        message.ClearField("publish_time")
        if row.published_at is not None:
            message.publish_time.FromDatetime(row.published_at)
        shown: M = message
        return shown
