"""Many rows at once by PostgreSQL's COPY, within the open transaction: several times as fast as inserts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import Connection, Date, DateTime, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from services.platform.db.wire import Call, Prepared

if TYPE_CHECKING:
    from services.platform.db.transaction import Transaction

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class Json(str):
    """A JSON document as text."""

    __slots__ = ()


def encode(document: Any) -> str:
    """Returns a document as text; one that is text already as it is."""
    return document if isinstance(document, Json) else _encode(document)


_moment = lru_cache(1024)(str)
# How values are written. Many rows tell the same few moments, and the driver takes long to write one.
_WRITERS: Sequence[tuple[type, Callable[[Any], str]]] = (JSONB, encode), (DateTime, _moment), (Date, _moment)


def copy(connection: Connection, target: str, rows: Iterable[Sequence[object]]) -> None:
    """Writes rows; `target` is a constant `table (columns)`."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor().copy(f"COPY {target} FROM STDIN") as writer:
        for row in rows:
            writer.write_row(row)


def copy_rows(tx: Transaction, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows of a table; all name the same columns, those left out get their defaults. Rows that are
    made as they are asked for are made while the database takes in those before."""
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return
    if tx.closing.calls:
        tx.flush()  # what follows may refer to it
    names = list(first)
    copy(
        tx.connection,
        f"{table.name} ({', '.join(names)})",
        _written(table, names, chain([first], remaining)),
    )


def inserting(name: str, table: Table, names: Sequence[str]) -> Callable[[Iterable[Mapping[str, Any]]], Call]:
    """Returns what makes the call that writes some rows of a table in columns of these names; `name` is what
    it is called on connections. Slower than COPY, which cannot go in a stream."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    types = [table.c[each].type.compile(dialect) for each in names]
    values = ", ".join(f"CAST(${place} AS {type_}[])" for place, type_ in enumerate(types, 1))
    sql = f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM unnest({values})"  # noqa: S608 - our own
    prepared = Prepared(name, sql)
    return lambda rows: Call(prepared, tuple(zip(*_written(table, names, rows), strict=True)))


def _written(
    table: Table, names: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> Iterator[Sequence[object]]:
    writers = [
        (place, write)
        for place, name in enumerate(names)
        for kind, write in _WRITERS
        if isinstance(table.c[name].type, kind)
    ]
    for row in rows:
        values = list(map(row.__getitem__, names))
        for place, write in writers:
            if values[place] is not None:
                values[place] = write(values[place])
        yield values
