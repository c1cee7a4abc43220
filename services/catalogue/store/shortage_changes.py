"""What differs between two versions of a shortage list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, SmallInteger, Text, column, select, text

# A version that names an occupation and region twice says the most severe.
_DIFFERENCE = text(
    """
    WITH before AS (
      SELECT DISTINCT ON (uri, isco_code, nuts_code) uri, isco_code, nuts_code, severity, cause
      FROM shortage_entries WHERE list_id = :list AND number = :base
      ORDER BY uri, isco_code, nuts_code, severity DESC, seq
    ), after AS (
      SELECT DISTINCT ON (uri, isco_code, nuts_code) uri, isco_code, nuts_code, severity, cause
      FROM shortage_entries WHERE list_id = :list AND number = :number
      ORDER BY uri, isco_code, nuts_code, severity DESC, seq
    )
    SELECT uri, isco_code, nuts_code,
           coalesce(before.severity, 0) AS severity_before, coalesce(after.severity, 0) AS severity_after,
           coalesce(before.cause, 0) AS cause_before, coalesce(after.cause, 0) AS cause_after
    FROM before FULL JOIN after USING (uri, isco_code, nuts_code)
    WHERE (before.severity, before.cause) IS DISTINCT FROM (after.severity, after.cause)
    """
)
ORDER: list[ColumnElement[Any]] = [column(name, Text) for name in ("uri", "isco_code", "nuts_code")]
_VALUES = ("severity_before", "severity_after", "cause_before", "cause_after")
_COLUMNS = [*ORDER, *(column(name, SmallInteger) for name in _VALUES)]


def listing(list_id: str, base: int, number: int) -> Select[Any]:
    """Selects what became of each occupation and region between two versions; `base` 0: nothing was there."""
    difference = _DIFFERENCE.bindparams(list=list_id, base=base, number=number).columns(*_COLUMNS)
    return select(*_COLUMNS).select_from(difference.subquery("difference"))
