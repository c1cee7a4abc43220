"""Several statements as one message to the server, and so as one round trip.

They go by the extended protocol in libpq's pipeline mode, prepared once per connection and called by name: a
call costs a fraction of what a statement costs through SQLAlchemy and the driver's cursor, and the server
parses no text. The platform's own few statements and those that a service lives on go this way.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import date, datetime
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from uuid import UUID

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.waiting import Ready, Wait
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

from services.platform.db.arrays import array

if TYPE_CHECKING:
    import sqlalchemy
    from psycopg.pq.abc import PGconn, PGresult

Value = str | bytes | int | date | UUID | None | Sequence[str] | Sequence[int] | Sequence[bytes]
_AHEAD = "ahead"  # in a connection's info: what was sent with BEGIN, and what it answered
_TEXT, _BINARY = 0, 1
# Classes of SQLSTATE after which the connection is gone: connection exceptions, operator intervention.
_GONE = ("08", "57P")


class Prepared(NamedTuple):
    """A statement with `$1` parameters and the name it gets on each connection.

    A lock that calls may take together has a twin, `free`, that answers without the rows that somebody else
    has locked instead of waiting for them, and `keys`: columns whose values say what a row has locked.
    """

    name: str
    sql: str
    types: tuple[str, ...] = ()  # none: the server finds them out
    free: Prepared | None = None
    keys: tuple[str, ...] = ()

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


def compiled(name: str, statement: sqlalchemy.Executable) -> Named:
    """Returns a statement that was built. Its parameters must have no values yet, except in the statement's
    text (`literal_column`)."""
    assert isinstance(statement, ClauseElement)
    made = statement.compile(dialect=PGDialect_psycopg(paramstyle="named"))  # type: ignore[no-untyped-call]
    return named(name, str(made))


def locking(name: str, sql: str, keys: tuple[str, ...]) -> Named:
    """Returns a statement that ends with its `FOR … UPDATE` and that calls may make together.

    `keys`: columns whose values name what a row has locked. Two rows with the same value in a column of the
    same name are taken to share a lock.
    """
    statement, names = named(name, sql)
    free = Prepared(f"{name}_free", f"{statement.sql} SKIP LOCKED")
    return Named(statement._replace(free=free, keys=keys), names)


_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")


def rows(connection: sqlalchemy.Connection, call: Call) -> list[Any]:
    """Returns the rows of a call, with columns as attributes; of one sent with BEGIN, without sending it
    again."""
    ahead = connection.info.get(_AHEAD)
    found: list[Any] | None = ahead.pop(call, None) if ahead else None
    return loaded(connection, call, send(connection, [call])[-1]) if found is None else found


def sent_ahead(connection: sqlalchemy.Connection, call: Call) -> list[Any] | None:
    """Returns the rows of a call that was sent with BEGIN and that `rows` has not taken; None for others."""
    found: list[Any] | None = connection.info.get(_AHEAD, {}).get(call)
    return found


def keep_ahead(
    connection: sqlalchemy.Connection, calls: Sequence[Call], results: Sequence[PGresult]
) -> dict[Call, list[Any]]:
    """Keeps and returns the answers of what was sent ahead; forgets those that were kept before."""
    connection.info[_AHEAD] = found = {
        call: loaded(connection, call, result) for call, result in zip(calls, results, strict=True)
    }
    return found


def loaded(connection: sqlalchemy.Connection, call: Call, result: PGresult) -> list[Any]:
    """Returns the rows of a result, with columns as attributes."""
    # Made once for a connection: it looks up what reads each type, and the session's time zone.
    transformer = connection.info.get("transformer")
    if transformer is None:
        driver = connection.connection.driver_connection
        transformer = connection.info["transformer"] = Transformer(driver)
    transformer.set_pgresult(result)
    key = (call.prepared.sql, result.nfields)
    make = _makers.get(key)
    if make is None:
        names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
        make = _makers[key] = namedtuple("Row", names)._make  # type: ignore[attr-defined]
    return transformer.load_rows(0, result.ntuples, make)


_makers: dict[tuple[str, int], Callable[[Sequence[Any]], Any]] = {}


def send(connection: sqlalchemy.Connection, calls: Sequence[Call]) -> list[PGresult]:
    """Sends the calls as one message; returns the result of each.

    The first call that fails ends the message. Raises SQLAlchemy's error for what the server says; the
    connection is invalidated when it is lost.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    outside = driver.info.transaction_status == TransactionStatus.IDLE
    try:
        try:
            return _prepared_exchange(connection, driver, calls)
        except psycopg.errors.InvalidSqlStatementName:
            # The driver drops every prepared statement of a connection on which a table was changed. Outside
            # a transaction nothing has happened yet, but that one of these calls may have begun one.
            if not outside:
                raise
            rollback(driver)
            connection.info["prepared"] &= _there(driver)
            return _prepared_exchange(connection, driver, calls)
    except psycopg.Error as error:
        _fail(connection, driver, error, calls[0].prepared.name)


def stream(connection: sqlalchemy.Connection, calls: Iterable[Call]) -> None:
    """Sends calls as they are made, without waiting: the server works on those before meanwhile. What makes
    them may not use the connection. Raises as `send` does."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    link, known = driver.pgconn, connection.info.setdefault("prepared", set())
    sent: list[str] = []  # names of what is prepared on the way, nothing for a call
    results: list[PGresult] = []
    try:
        link.enter_pipeline_mode()
        try:
            for prepared, values in calls:
                name, parameters = prepared.name, _parameters(values)
                if name not in known and name not in sent:
                    link.send_prepare(name.encode(), prepared.sql.encode(), _types(driver, prepared))
                    sent.append(name)
                link.send_query_prepared(name.encode(), *parameters)
                sent.append("")
                link.flush()  # as much as the server takes now
        finally:
            link.pipeline_sync()
            results = driver.wait(_results(link, len(sent) + 1))[:-1]
            link.exit_pipeline_mode()
            known.update(name for name, result in zip(sent, results, strict=True) if name and _done(result))
        for result in results:
            _checked(driver, result)  # after the first that failed the server ran nothing
    except psycopg.Error as error:
        _fail(connection, driver, error, "stream")


def rollback(connection: Any) -> None:
    """Rolls a psycopg connection back without the driver's own call, which would forget every prepared
    statement and with its DEALLOCATE ALL drop those of this module as well. Raises psycopg's errors;
    OperationalError when the server has ended the connection, and the transaction with it."""
    link = connection.pgconn
    if link.transaction_status == TransactionStatus.IDLE:
        return
    result = link.exec_(b"ROLLBACK")
    if link.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the server ended the connection")
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result)


def _prepared_exchange(
    connection: sqlalchemy.Connection, driver: psycopg.Connection[Any], calls: Sequence[Call]
) -> list[PGresult]:
    prepared = connection.info.setdefault("prepared", set())  # lives as long as the server's session
    for call in calls:
        if call.prepared.name not in prepared:
            _prepare(driver, call.prepared)
            prepared.add(call.prepared.name)
    return _exchange(driver, calls)


def _there(driver: psycopg.Connection[Any]) -> set[str]:
    """Returns the names of what is prepared in the server's session."""
    result = driver.pgconn.exec_(b"SELECT name FROM pg_prepared_statements")
    _checked(driver, result)
    return {(result.get_value(row, 0) or b"").decode() for row in range(result.ntuples)}


def _prepare(driver: psycopg.Connection[Any], prepared: Prepared) -> None:
    types = _types(driver, prepared)
    _checked(driver, driver.pgconn.prepare(prepared.name.encode(), prepared.sql.encode(), types))


def _types(driver: psycopg.Connection[Any], prepared: Prepared) -> list[int]:
    return [driver.adapters.types.get_oid(name) for name in prepared.types]


def _exchange(driver: psycopg.Connection[Any], calls: Sequence[Call]) -> list[PGresult]:
    link = driver.pgconn
    sent = [(prepared.name.encode(), *_parameters(values)) for prepared, values in calls]
    link.enter_pipeline_mode()  # from here on nothing of ours may fail: the connection would stay in it
    for call in sent:
        link.send_query_prepared(*call)
    link.pipeline_sync()
    results = driver.wait(_results(link, len(calls) + 1))
    link.exit_pipeline_mode()
    for result in results[:-1]:
        _checked(driver, result)  # after the first that failed the server ran nothing
    return results[:-1]


def _results(link: PGconn, count: int) -> Generator[Wait, Ready | int, list[PGresult]]:
    """Waits for `count` results, that of the synchronisation at the end included; raises OperationalError."""
    while link.flush():
        if (yield Wait.RW) & Ready.R:
            link.consume_input()
    found: list[PGresult] = []
    while len(found) < count:
        while link.is_busy():
            yield Wait.R
            link.consume_input()
        result = link.get_result()
        if result is not None:
            found.append(result)
        elif link.status != ConnStatus.OK:
            raise psycopg.OperationalError("the connection was lost")
    return found


def _parameters(values: Sequence[Value]) -> tuple[list[bytes | None], list[int]]:
    """Returns values as the server reads them, and the format of each."""
    formats = [_BINARY if type(value) is bytes else _TEXT for value in values]
    return [_parameter(value) for value in values], formats


def _parameter(value: Value) -> bytes | None:
    """Returns a value as the server reads it: text, except bytes, which stay as they are."""
    write = _WRITERS.get(type(value)) or next(w for kind, w in _WRITERS.items() if isinstance(value, kind))
    return write(value)


def _text(value: str) -> bytes:
    if "\0" in value:
        raise psycopg.DataError("a text cannot hold the character of number zero")
    return value.encode()


def _day(value: date) -> bytes:
    return value.isoformat().encode()


# Kinds of value, the most frequent first; a kind derived from one is written as that.
_WRITERS: dict[type, Callable[[Any], bytes | None]] = {
    str: _text,
    int: b"%d".__mod__,
    bytes: lambda value: value,
    NoneType: lambda _: None,
    datetime: _day,
    date: _day,
    UUID: lambda value: str(value).encode(),
    list: array,
    tuple: array,
    Sequence: array,
}


def _done(result: PGresult) -> bool:
    return result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


def _checked(driver: psycopg.Connection[Any], result: PGresult) -> PGresult:
    if not _done(result):
        raise psycopg.errors.error_from_result(result)
    if driver.closed:
        raise psycopg.OperationalError("the connection was lost")
    return result


def _fail(
    connection: sqlalchemy.Connection, driver: psycopg.Connection[Any], error: psycopg.Error, statement: str
) -> NoReturn:
    unsent = isinstance(error, psycopg.DataError) and not error.sqlstate  # `_parameter` raised it
    lost = driver.closed or (not unsent and (error.sqlstate or "08").startswith(_GONE))
    if lost:
        connection.invalidate(error)
    wrapped = DBAPIError.instance(
        statement, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost
    )
    assert isinstance(wrapped, BaseException)
    raise wrapped from error
