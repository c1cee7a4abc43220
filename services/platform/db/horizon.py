"""Reading rows in the order of the transactions that wrote them, without missing one that commits late.

A row notes the transaction that wrote it (`pg_current_xact_id`). Transactions get their number when they
begin to write, and not when they commit: a reader that goes on after the highest number it has seen would
miss a lower one that commits later. Below the horizon every transaction has ended, so nothing comes in there
any more.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, literal_column

SQL = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
HORIZON: ColumnElement[int] = literal_column(SQL, BigInteger)


def settled(xid: ColumnElement[Any]) -> ColumnElement[bool]:
    """Returns the condition for rows of transactions older than any that still runs."""
    return xid < HORIZON
