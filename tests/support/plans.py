"""How PostgreSQL goes about a statement, as the service sends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy


@contextmanager
def plans(engine: sqlalchemy.Engine, *having: str) -> Iterator[list[str]]:
    """Yields a list that takes the plan of each statement the body has sent through `engine` in which all of
    these texts stand: for the same values, on the same connection, in the same transaction."""
    found: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if all(each in statement for each in having):
            with cursor.connection.cursor() as beside:
                beside.execute(f"EXPLAIN {statement}", parameters)
                found.append("\n".join(line for (line,) in beside.fetchall()))

    sqlalchemy.event.listen(engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        sqlalchemy.event.remove(engine, "before_cursor_execute", explain)
