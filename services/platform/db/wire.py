"""Several commands as one message to the server, and so as one round trip.

Only PostgreSQL's simple query protocol carries more than one command. The platform's own few statements and
those that a service lives on go this way, prepared once per connection and called by EXECUTE: a call costs a
fraction of what a statement costs through SQLAlchemy and the driver's cursor. Values become literals by
libpq's own quoting, never by hand, unless there is nothing in them to quote.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import psycopg
from psycopg.adapt import Transformer
from psycopg.generators import execute
from psycopg.pq import Escaping, ExecStatus
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    import sqlalchemy
    from psycopg.pq.abc import PGresult

Value = str | bytes | int | datetime | None | Sequence[str] | Sequence[int] | Sequence[bytes]
_AHEAD = "ahead"  # in a connection's info: what was sent with BEGIN, and what it answered
_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
# Classes of SQLSTATE after which the connection is gone: connection exceptions, operator intervention.
_GONE = ("08", "57P")


class Prepared(NamedTuple):
    """A statement with `$1` parameters and the name it gets on each connection."""

    name: str
    sql: str
    types: tuple[str, ...] = ()  # none: the server finds them out

    def __call__(self, *values: Value) -> Call:
        """Returns the statement with values for `$1`, `$2` …"""
        return Call(self, values)


class Call(NamedTuple):
    """A prepared statement and its values."""

    prepared: Prepared
    values: tuple[Value, ...]


class Named(NamedTuple):
    """A prepared statement whose parameters have names."""

    prepared: Prepared
    names: tuple[str, ...]

    def __call__(self, **values: Value) -> Call:
        """Returns the statement with its values."""
        return Call(self.prepared, tuple([values[name] for name in self.names]))


def named(name: str, sql: str) -> Named:
    """Returns a statement written with `:name` parameters; `name` is what it is called on connections."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql)
    return Named(Prepared(name, numbered), names)


_PLAIN = re.compile(r"[A-Za-z0-9/:._-]*", re.ASCII).fullmatch
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")


def rows(connection: sqlalchemy.Connection, call: Call) -> list[Any]:
    """Returns the rows of a call, with columns as attributes; of one sent with BEGIN, without sending it
    again."""
    ahead = connection.info.get(_AHEAD)
    found: list[Any] | None = ahead.pop(call, None) if ahead else None
    return _loaded(connection, call, send(connection, [call])[-1]) if found is None else found


def sent_ahead(connection: sqlalchemy.Connection, call: Call) -> list[Any] | None:
    """Returns the rows of a call that was sent with BEGIN and that `rows` has not taken; None for others."""
    found: list[Any] | None = connection.info.get(_AHEAD, {}).get(call)
    return found


def keep_ahead(connection: sqlalchemy.Connection, calls: Sequence[Call], results: Sequence[PGresult]) -> None:
    """Keeps the answers of what was sent with BEGIN, and forgets those of the transaction before."""
    connection.info[_AHEAD] = {
        call: _loaded(connection, call, result) for call, result in zip(calls, results, strict=True)
    }


def _loaded(connection: sqlalchemy.Connection, call: Call, result: PGresult) -> list[Any]:
    transformer = Transformer(connection.connection.driver_connection)
    transformer.set_pgresult(result)
    key = (call.prepared.sql, result.nfields)
    make = _makers.get(key)
    if make is None:
        names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
        make = _makers[key] = namedtuple("Row", names)._make  # type: ignore[attr-defined]
    return transformer.load_rows(0, result.ntuples, make)


_makers: dict[tuple[str, int], Callable[[Sequence[Any]], Any]] = {}


def send(connection: sqlalchemy.Connection, commands: Sequence[str | Call]) -> list[PGresult]:
    """Sends the commands as one message; returns the result of each.

    The first command that fails ends the message. Raises SQLAlchemy's error for what the server says; the
    connection is invalidated when it is lost.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        prepared = connection.info.setdefault("prepared", set())  # lives as long as the server's session
        for command in commands:
            if isinstance(command, Call) and command.prepared.name not in prepared:
                _prepare(driver, command.prepared)
                prepared.add(command.prepared.name)
        text = ";".join(
            _execute(driver, command) if isinstance(command, Call) else command for command in commands
        )
        driver.pgconn.send_query(text.encode())
        results: list[PGresult] = driver.wait(execute(driver.pgconn))
        _checked(driver, results[-1])  # the last one is that of the first command that failed
        return results
    except psycopg.Error as error:
        _fail(connection, driver, error, str(commands[0]) if isinstance(commands[0], str) else "EXECUTE")


def _prepare(driver: psycopg.Connection[Any], prepared: Prepared) -> None:
    types = f"({', '.join(prepared.types)})" if prepared.types else ""
    _checked(driver, driver.pgconn.exec_(f"PREPARE {prepared.name}{types} AS {prepared.sql}".encode()))


def _execute(driver: psycopg.Connection[Any], call: Call) -> str:
    escape = Escaping(driver.pgconn)
    values = ",".join([_literal(escape, value) for value in call.values])
    return f"EXECUTE {call.prepared.name}" + (f"({values})" if values else "")


def _literal(escape: Any, value: Value) -> str:
    if isinstance(value, str):
        if _PLAIN(value):  # most are ids and names, and libpq would add nothing but the quotes
            return f"'{value}'"
        return bytes(escape.escape_literal(value.encode())).decode()
    if isinstance(value, int):
        return str(int(value))
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    return _literal(escape, "{" + ",".join([_element(element) for element in value]) + "}")


def _element(value: str | int | bytes) -> str:
    """Returns an element of an array as PostgreSQL reads it: quoted, unless it is a number."""
    if isinstance(value, int):
        return str(int(value))
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else value
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _checked(driver: psycopg.Connection[Any], result: PGresult) -> PGresult:
    if result.status not in _DONE:
        raise psycopg.errors.error_from_result(result)
    if driver.closed:
        raise psycopg.OperationalError("the connection was lost")
    return result


def _fail(
    connection: sqlalchemy.Connection, driver: psycopg.Connection[Any], error: psycopg.Error, statement: str
) -> NoReturn:
    lost = driver.closed or (error.sqlstate or "08").startswith(_GONE)
    if lost:
        connection.invalidate(error)
    wrapped = DBAPIError.instance(
        statement, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost
    )
    assert isinstance(wrapped, BaseException)
    raise wrapped from error
