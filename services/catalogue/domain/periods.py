"""Periods of statistics, as SDMX writes them: a year, a quarter, a month."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

_FORM = re.compile(r"(?P<year>(?:19|20|21)\d\d)(?:-(?:Q(?P<quarter>[1-4])|M?(?P<month>0[1-9]|1[0-2])))?")


class Period(NamedTuple):
    """A period: `2026`, `2026-Q1` or `2026-03`, with its first and last day."""

    text: str
    first: date
    last: date


def period_of(text: str) -> Period | None:
    """Reads a period; None when it is none."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return None
    year = int(match["year"])
    if match["quarter"]:
        month, months, shown = int(match["quarter"]) * 3 - 2, 3, f"{year}-Q{match['quarter']}"
    elif match["month"]:
        month, months, shown = int(match["month"]), 1, f"{year}-{match['month']}"
    else:
        month, months, shown = 1, 12, str(year)
    beyond = date(year + (month + months > 12), (month + months - 1) % 12 + 1, 1)
    return Period(shown, date(year, month, 1), beyond - timedelta(days=1))


def periods_above(text: str) -> list[str]:
    """The periods that a period is a part of, the nearest first."""
    year, _, part = text.partition("-")
    if not part:
        return []
    return [year] if part.startswith("Q") else [f"{year}-Q{(int(part) + 2) // 3}", year]
