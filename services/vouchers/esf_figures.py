"""Indicators of the ESF+ of a period, for the report and for exports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.platform.db.transaction import Transaction
from services.vouchers.domain import esf
from services.vouchers.domain.exports import Column, Type
from services.vouchers.domain.statements import period
from services.vouchers.store import names, reports

COLUMNS = (
    Column("code"),
    Column("text"),
    Column("participants", Type.CENTS),
    Column("unknown", Type.CENTS),
    Column("not_told", Type.CENTS),
    Column("suppressed"),
)


def indicators(tx: Transaction, first: date, last: date, programme: str) -> list[esf.Counted]:
    """Returns every indicator, as it may be told, for participants from `first` to `last` (inclusive, UTC);
    `programme`: `programmes/{id}`, empty for any. Raises Refusal(INVALID_ARGUMENT) for no such period."""
    counted = reports.indicators(tx, *period(first, last, longest=None), names.last(programme))
    return esf.withhold(counted, settled=esf.settled(first, last, tx.today))


def row(counted: esf.Counted) -> Sequence[str | int | None]:
    """Returns an indicator as the cells under COLUMNS; numbers that are not told are empty."""
    code, text, *numbers, suppressed = counted
    return (code, text, *(None if suppressed else number for number in numbers), str(suppressed).lower())
