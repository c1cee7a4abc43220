"""Statements of a provider's movements, read from the ledger by the redemptions they are for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Text, cast, func, literal, select, tuple_

from services.platform.db.transaction import Transaction
from services.vouchers.domain.statements import LINES, Line, line
from services.vouchers.store.ledger_tables import ledger_entries
from services.vouchers.store.tables import redemptions

_e = ledger_entries.c
ORDER = (_e.created_at, _e.shard, _e.sequence)
AT_ONCE = 500  # rows of a stream in memory
_REDEMPTION = literal("redemptions/") + cast(redemptions.c.id, Text)


def lines(organisation: str, currency: str, start: datetime, end: datetime) -> Select[Any]:
    """Returns the statement for the entries that are a provider's lines, from `start` to before `end`."""
    pairs = [(operation, int(kind)) for operation, kind in LINES]
    wanted = tuple_(_e.operation, _e.kind).in_(pairs)
    return _of(select(ledger_entries), organisation, currency, end).where(wanted, _e.created_at >= start)


def stream(tx: Transaction, statement: Select[Any]) -> Iterator[list[Line]]:
    """Yields lines in order, some at a time, with flat memory."""
    for rows in tx.parts(statement.order_by(*ORDER), AT_ONCE):
        yield [line_of(row) for row in rows]


def line_of(row: Row[Any]) -> Line:
    """Returns an entry as line."""
    return line(row.created_at, row.operation, row.kind, row.owner, row.cents, row.currency, row.reference)


def sums(tx: Transaction, organisation: str, currency: str, start: datetime, end: datetime) -> list[Row[Any]]:
    """Returns sums of a provider's entries before `end`: operation, kind, cents, and whether they lie before
    `start` (`earlier`)."""
    earlier = (_e.created_at < start).label("earlier")
    columns = (_e.operation, _e.kind, earlier)
    statement = select(*columns, func.sum(_e.cents).label("cents")).group_by(*columns)
    return list(tx.execute(_of(statement, organisation, currency, end)))


def _of(statement: Select[Any], organisation: str, currency: str, end: datetime) -> Select[Any]:
    return (
        statement.select_from(ledger_entries)
        .join(redemptions, _e.reference == _REDEMPTION)
        .where(redemptions.c.organisation == organisation, _e.currency == currency, _e.created_at < end)
    )
