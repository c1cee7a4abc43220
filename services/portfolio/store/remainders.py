"""What documents said beyond a portfolio: one row for each entry, and for each thing of the person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, select
from waymark.portfolio.v1.document_pb2 import DocumentFormat
from waymark.portfolio.v1.remainder_pb2 import Remainder

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names, quotas
from services.portfolio.store import keeping, tables
from services.portfolio.store.collection import Collection
from services.portfolio.store.vault import Vault

REMAINDERS = Collection(tables.remainders, "remainders", Remainder)


def clear(tx: Transaction, holder: str, format_: DocumentFormat.ValueType) -> bool:
    """Makes room for what a document of a format leaves; False while a legal hold keeps what another left."""
    columns = tables.remainders.c
    same = (columns.holder_id == holder, columns.format == format_)
    keeping.purge(tx, tables.remainders, *same, limit=quotas.REMAINDERS)
    return not tx.execute(select(exists().where(*same))).scalar_one()


def of_format(tx: Transaction, vault: Vault, format_: DocumentFormat.ValueType) -> list[Remainder]:
    """Returns what goes back into documents of a format, in the order in which it stood."""
    return REMAINDERS.newest(tx, vault, quotas.REMAINDERS, format=format_)[::-1]


def set_aside(tx: Transaction, vault: Vault, import_id: str, made: Sequence[Remainder]) -> None:
    """Adds what the document of an import left; entries are named as they are here."""
    of = {"import_id": import_id}
    rows = [
        (each, {"format": each.format, "entry_id": names.last(each.entry) if each.entry else None, **of})
        for each in made
    ]
    REMAINDERS.put_all(tx, vault, rows)


def take_back(tx: Transaction, holder: str, import_id: str) -> None:
    """Removes what the document of an import left, but for what a legal hold keeps."""
    columns = tables.remainders.c
    these = (columns.holder_id == holder, columns.import_id == import_id)
    keeping.purge(tx, tables.remainders, *these, limit=quotas.REMAINDERS)
