"""What a month of API access comes to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from enum import IntEnum
from typing import NamedTuple

HEADER = ("day", "key", "organisation", "calls", "refused_calls")


class Period(IntEnum):
    """What a price is for, as in the contract."""

    MONTH = 1
    YEAR = 2


class Month(NamedTuple):
    """A calendar month."""

    first: date
    after: date  # first day of the next

    @classmethod
    def of(cls, text: str) -> Month:
        """Reads `2026-11`, which the contract has checked."""
        first = date.fromisoformat(f"{text}-01")
        after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        return cls(first, after)


def due_cents(price_cents: int, period: int, granted: date, ended: date | None, month: Month) -> int:
    """Returns what is due in a month: the price of each period of the plan that begins in it, while the grant
    lasts. A month that is begun is due whole; years are counted from the month of the grant."""
    if granted >= month.after or (ended is not None and ended < month.first):
        return 0
    if period == Period.YEAR and granted.month != month.first.month:
        return 0
    return price_cents


def csv_lines(rows: Iterable[Iterable[object]], *, header: bool = False) -> bytes:
    """Returns rows as CSV (RFC 4180) in UTF-8, below the header where asked."""
    text = io.StringIO(newline="")
    written = csv.writer(text)
    if header:
        written.writerow(HEADER)
    written.writerows(rows)
    return text.getvalue().encode()
