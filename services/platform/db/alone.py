"""Work that one process does at a time, over all replicas, for as long as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy
from sqlalchemy import text

_BEGIN = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_END = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


@contextmanager
def alone(engine: sqlalchemy.Engine, name: str) -> Iterator[bool]:
    """Yields True while nobody else is at the work called `name`, else False at once.

    The lock is held by a connection of its own and ends with it, so that another goes on at once when a
    process dies. Who has lost the connection and does not know it goes on as well: what such
    work writes has to tell whose turn it is.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.execute(_BEGIN, {"name": name}).scalar_one())
        try:
            yield mine
        finally:
            if mine:
                connection.execute(_END, {"name": name})
