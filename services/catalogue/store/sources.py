"""Statements on sources."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update
from waymark.errors.v1 import reason_pb2

from services.catalogue.store.tables import sources
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal


def add(tx: Transaction, **values: Any) -> str:
    """Adds a source; returns its id."""
    source = new_id()
    tx.execute(insert(sources).values(id=source, **values))
    return source


def read(connection: Connection, source: str, *, lock: bool = False) -> Row[Any]:
    """Returns the source, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(sources).where(sources.c.id == source)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no source {source}.")
    return row


def change(tx: Transaction, source: str, **values: Any) -> Row[Any]:
    """Changes columns, counts the version up, returns the row."""
    statement = (
        update(sources)
        .where(sources.c.id == source)
        .values(version=sources.c.version + 1, **values)
        .returning(sources)
    )
    return tx.execute(statement).one()


def listing(organisation: str) -> Select[Any]:
    """Selects sources, of one organisation where named."""
    statement = select(sources)
    return statement.where(sources.c.organisation_id == organisation) if organisation else statement
