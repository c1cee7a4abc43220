"""What documents brought: one row for each import that brought something."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from waymark.portfolio.v1.document_import_pb2 import DocumentImport

from services.platform.db.transaction import Transaction
from services.portfolio.domain import quotas
from services.portfolio.store import keeping
from services.portfolio.store.collection import Collection
from services.portfolio.store.tables import document_imports as table


def _finish(made: DocumentImport, row: Row[Any], _now: datetime) -> None:
    if row.undone_at is not None:
        made.undo_time.FromDatetime(row.undone_at)


IMPORTS = Collection(table, "documentImports", DocumentImport, _finish)


def make_room(tx: Transaction, holder: str) -> None:
    """Forgets the oldest imports beyond `quotas.IMPORTS`, but not while a legal hold is in force; what they
    brought stays."""
    newest = select(table.c.id).where(table.c.holder_id == holder)
    newest = newest.order_by(table.c.id.desc()).limit(quotas.IMPORTS)
    old = (table.c.holder_id == holder, table.c.id.not_in(newest))
    keeping.purge(tx, table, *old, limit=quotas.IMPORTS)
