"""Runs the few statements that redeeming lives on without SQLAlchemy's work per call.

The text is compiled once; what remains per call is the driver's. Errors, events and the pool's care for lost
connections stay SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import CursorResult, TextClause
from sqlalchemy.dialects.postgresql import psycopg

from services.platform.db.transaction import Transaction

_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]


def run(tx: Transaction, statement: TextClause, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Runs a statement of this package's own constants with its named values."""
    return tx.connection.exec_driver_sql(_driver_sql(statement), dict(values))


@lru_cache(maxsize=64)
def _driver_sql(statement: TextClause) -> str:
    return str(statement.compile(dialect=_DIALECT))
