"""Several commands as one message to the server, and so as one round trip.

Only PostgreSQL's simple query protocol carries more than one command. The platform's own few statements go
this way, prepared once per connection and called by EXECUTE: a call costs a fraction of what a statement
costs through SQLAlchemy and the driver's cursor. Values become literals by libpq's own quoting, never by
hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import psycopg
from psycopg.pq import Escaping, ExecStatus
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    import sqlalchemy
    from psycopg.pq.abc import PGresult

Value = str | bytes | int
_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
# Classes of SQLSTATE after which the connection is gone: connection exceptions, operator intervention.
_GONE = ("08", "57P")


class Prepared(NamedTuple):
    """A statement with `$1` parameters and the name it gets on each connection."""

    name: str
    sql: str
    types: tuple[str, ...]


class Call(NamedTuple):
    """A prepared statement and its values."""

    prepared: Prepared
    values: tuple[Value, ...]


def send(connection: sqlalchemy.Connection, commands: Sequence[str | Call]) -> PGresult:
    """Sends the commands as one message; returns the result of the last one.

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
        return _checked(driver, driver.pgconn.exec_(text.encode()))
    except psycopg.Error as error:
        _fail(connection, driver, error, str(commands[0]) if isinstance(commands[0], str) else "EXECUTE")


def _prepare(driver: psycopg.Connection[Any], prepared: Prepared) -> None:
    types = ", ".join(prepared.types)
    _checked(driver, driver.pgconn.exec_(f"PREPARE {prepared.name} ({types}) AS {prepared.sql}".encode()))


def _execute(driver: psycopg.Connection[Any], call: Call) -> str:
    escape = Escaping(driver.pgconn)
    values = ",".join(_literal(escape, value) for value in call.values)
    return f"EXECUTE {call.prepared.name}({values})"


def _literal(escape: Any, value: Value) -> str:
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, int):
        return str(value)
    return bytes(escape.escape_literal(value.encode())).decode()


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
