"""Statements of a provider's movements, read from the ledger by the redemptions they are for and by what
else was approved to be paid to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    Text,
    cast,
    literal,
    select,
    tuple_,
    union_all,
)

from services.platform.db.transaction import Transaction
from services.vouchers.domain.ledger import Kind
from services.vouchers.domain.statements import LINES, Line, line
from services.vouchers.store.ledger_tables import ledger_entries
from services.vouchers.store.settlement_tables import payables
from services.vouchers.store.tables import redemptions

_e = ledger_entries.c
AT_ONCE = 500  # rows of a stream in memory
_REDEMPTION = literal("redemptions/") + cast(redemptions.c.id, Text)


def lines(organisation: str, currency: str, start: datetime, end: datetime) -> Select[Any]:
    """Returns the statement for the entries that are a provider's lines, from `start` to before `end`."""
    pairs = [(operation, int(kind)) for operation, kind in LINES]
    wanted = tuple_(_e.operation, _e.kind).in_(pairs)
    return select(_of(organisation, currency, wanted, _e.created_at >= start, _e.created_at < end))


def order(statement: Select[Any]) -> tuple[ColumnElement[Any], ...]:
    """Returns the order of lines, oldest first."""
    columns = statement.selected_columns
    return columns.created_at, columns.shard, columns.sequence


def stream(tx: Transaction, statement: Select[Any]) -> Iterator[list[Line]]:
    """Yields lines in order, some at a time, with flat memory."""
    for rows in tx.parts(statement.order_by(*order(statement)), AT_ONCE):
        yield [line_of(row) for row in rows]


def line_of(row: Row[Any]) -> Line:
    """Returns an entry as line."""
    return line(row.created_at, row.operation, row.kind, row.owner, row.cents, row.currency, row.reference)


def _of(organisation: str, currency: str, *conditions: ColumnElement[bool]) -> Subquery:
    """The entries of a provider: of its redemptions; what else was approved for it, cleared in the name of
    what it is for; and what batches paid of that."""
    mine, others = redemptions.c.organisation == organisation, payables.c.organisation == organisation
    narrowed = select(ledger_entries).where(_e.currency == currency, *conditions)
    cleared = (_e.owner == payables.c.subject) & (_e.kind == int(Kind.PROVIDER_CLEARED))
    paid = (_e.reference == payables.c.subject) & (_e.kind == int(Kind.BANK_CLEARING))
    return union_all(
        narrowed.join(redemptions, _e.reference == _REDEMPTION).where(mine),
        narrowed.join(payables, cleared).where(others),
        narrowed.join(payables, paid).where(others),
    ).subquery("entries")
