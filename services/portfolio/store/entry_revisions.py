"""Former versions of entries: what an entry said before each change, sealed in a place of its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, and_, cast, delete, insert, select
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.entry_revision_pb2 import EntryRevision, ListEntryRevisionsRequest

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names, quotas
from services.portfolio.store import keeping
from services.portfolio.store.collection import Paged, bare, fill
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.tables import entries, entry_revisions
from services.portfolio.store.vault import Vault


def save(tx: Transaction, vault: Vault, entry_id: str, before: Entry, after: Entry) -> Entry:
    """Writes a new version of a locked entry, keeps what it said `before`, and returns it as it will be read.

    The oldest revisions beyond `quotas.REVISIONS` are forgotten, so that nothing grows without end, but not
    while a legal hold is in force.
    """
    saved, version = ENTRIES.replace(tx, vault, entry_id, after), _version(before)
    tx.execute(
        insert(entry_revisions).values(
            holder_id=vault.holder,
            entry_id=entry_id,
            version=version,
            sealed=vault.seal(entry_revisions, _row(entry_id, version), bare(before)),
            updated_at=before.update_time.ToDatetime(tzinfo=tx.now.tzinfo),
        )
    )
    if version > quotas.REVISIONS:
        _forget(tx, vault.holder, entry_id, version - quotas.REVISIONS)
    return saved


def _forget(tx: Transaction, holder: str, entry_id: str, last: int) -> None:
    keeping.settle(tx, [holder])
    old = (_of(holder, entry_id), entry_revisions.c.version <= last, ~keeping.is_held(holder))
    tx.execute(delete(entry_revisions).where(*old))


def get(tx: Transaction, vault: Vault, entry_id: str, revision_id: str) -> EntryRevision:
    """Returns a revision; raises Refusal(NOT_FOUND)."""
    # As text: a name may say anything, and one entry has few revisions.
    is_it = cast(entry_revisions.c.version, Text) == revision_id
    row = tx.execute(_all(vault.holder, entry_id).where(is_it)).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return _shown(vault, row)


def listed(
    tx: Transaction, signer: PageTokenSigner, vault: Vault, entry_id: str, request: ListEntryRevisionsRequest
) -> Paged[EntryRevision]:
    """Returns a page of an entry's revisions, newest first."""
    found = page(
        tx,
        signer,
        _all(vault.holder, entry_id),
        order_by=[entry_revisions.c.version.desc()],
        request=request,
        filters={"holder": vault.holder, "entry": entry_id},
    )
    return Paged([_shown(vault, row) for row in found.rows], found.next_page_token)


def _all(holder: str, entry_id: str) -> Select[Any]:
    whole = entry_revisions.join(
        entries,
        and_(entries.c.holder_id == entry_revisions.c.holder_id, entries.c.id == entry_revisions.c.entry_id),
    )
    columns = (entry_revisions, entries.c.created_at)
    return select(*columns).select_from(whole).where(_of(holder, entry_id))


def _of(holder: str, entry_id: str) -> ColumnElement[bool]:
    return and_(entry_revisions.c.holder_id == holder, entry_revisions.c.entry_id == entry_id)


def _row(entry_id: str, version: int) -> str:
    return f"{entry_id}/{version}"


def _version(entry: Entry) -> int:
    return int(entry.etag.strip('"'))


def _shown(vault: Vault, row: Row[Any]) -> EntryRevision:
    sealed_as = _row(row.entry_id, row.version)
    entry = vault.open(entry_revisions, sealed_as, row.sealed, Entry)
    fill(entry, names.child(vault.holder, "entries", row.entry_id), row)
    revision = EntryRevision(name=f"{entry.name}/revisions/{row.version}", snapshot=entry)
    revision.create_time.FromDatetime(row.updated_at)
    return revision
