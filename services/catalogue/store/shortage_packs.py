"""Published versions of shortage lists as processes answer from them: see `domain.shortage_index`."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.domain import shortage_index
from services.catalogue.domain.shortage import Entry
from services.catalogue.store import shortage_lists
from services.catalogue.store.shortage_tables import shortage_packs
from services.catalogue.store.tables import shortage_versions
from services.platform.db.transaction import Transaction


def add(tx: Transaction, list_id: str, number: int, entries: Iterable[Entry]) -> None:
    """Keeps a published version packed; one that is kept already stays."""
    values = {"list_id": list_id, "number": number, "packed": shortage_index.pack(entries)}
    tx.execute(insert(shortage_packs).values(values).on_conflict_do_nothing())


def read(tx: Transaction, list_id: str, number: int) -> bytes:
    """Returns a published version packed; one that was published unpacked, and not packed since, is packed
    for this once, which takes seconds."""
    table = shortage_packs.c
    statement = select(table.packed).where(table.list_id == list_id, table.number == number)
    packed: bytes | None = tx.execute(statement).scalar()
    return packed or shortage_index.pack(shortage_lists.each_entry(tx, list_id, number))


def unpacked(tx: Transaction) -> list[tuple[str, int]]:
    """Returns the published versions that are not kept packed, the last to begin first: those are asked for
    most."""
    version, table = shortage_versions.c, shortage_packs.c
    joined = shortage_versions.outerjoin(
        shortage_packs, (table.list_id == version.list_id) & (table.number == version.number)
    )
    statement = select(version.list_id, version.number).select_from(joined)
    found = statement.where(version.publish_time.is_not(None), table.packed.is_(None))
    return [(row.list_id, row.number) for row in tx.execute(found.order_by(version.valid_from.desc()))]
