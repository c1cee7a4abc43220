"""Indicators of the ESF+ of a period, for the report and for exports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    Column("female", Type.CENTS),
    Column("male", Type.CENTS),
    Column("other", Type.CENTS),
    Column("gender_suppressed"),
)


def indicators(tx: Transaction, first: date, last: date, programme: str) -> list[esf.Counted]:
    """Returns every indicator, as it may be told, for participants from `first` to `last` (inclusive);
    `programme`: `programmes/{id}`, empty for any. Raises Refusal(INVALID_ARGUMENT) for no such period."""
    counted = reports.indicators(tx, *period(first, last, longest=None), names.last(programme))
    return esf.withhold(counted, settled=esf.settled(first, last, tx.today))


def published(tx: Transaction, first: date, last: date, programme: str) -> list[esf.Counted]:
    """Returns the same as it may leave the house: of whole months that are over, and of nobody or enough."""
    whole = esf.settled(first, last, tx.today, months=1)
    return esf.publish(indicators(tx, first, last, programme), settled=whole)


def row(counted: esf.Counted) -> Sequence[str | int | None]:
    """Returns an indicator as the cells under COLUMNS; numbers that are not told are empty."""
    genders = _told(counted.genders, counted.gender_suppressed)
    numbers = _told(counted[2:5], counted.suppressed)
    return (counted.code, counted.text, *numbers, *genders)


def _told(numbers: Iterable[int], suppressed: bool) -> list[str | int | None]:
    return [*(None if suppressed else number for number in numbers), str(suppressed).lower()]
