"""One transaction per request: connection, caller, the database's clock and the events to publish."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy
from psycopg.pq import ExecStatus
from sqlalchemy.exc import OperationalError

from services.platform.db.engine import milliseconds
from services.platform.identity.principals import ANONYMOUS, Principal
from services.platform.telemetry.tracing import current_traceparent

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from services.platform.app import App

# ISO 8601 with offset, whatever DateStyle the database has: the one format `datetime.fromisoformat` must
# read.
CLOCK = """SELECT to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS.USTZH:TZM')"""


class Transaction:
    """An open database transaction. `now` is its start by the database clock (aware, UTC)."""

    def __init__(self, connection: sqlalchemy.Connection, principal: Principal, now: datetime) -> None:
        self.connection = connection
        self.principal = principal
        self.now = now
        self.published: list[Message] = []

    def execute(
        self,
        statement: sqlalchemy.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sqlalchemy.CursorResult[Any]:
        """Runs a statement, once or once per element of `parameters`."""
        return self.connection.execute(statement, parameters)

    def publish(self, event: Message) -> None:
        """Adds an event to the outbox, to leave the service if and only if this transaction commits.

        Topic and key come from the message's `waymark.options.v1.event` option. Publish while holding the
        lock on the aggregate's row: the order of one aggregate's events is the order of these calls.
        """
        self.published.append(event)

    def flush(self) -> None:
        """Writes the published events into the outbox, all in one statement. Commit does this by itself."""
        if self.published:
            from services.platform.events.outbox import append

            events, self.published = self.published, []
            append(self.connection, events, current_traceparent())


@contextmanager
def transaction(
    app: App | sqlalchemy.Engine,
    principal: Principal = ANONYMOUS,
    *,
    read_only: bool = False,
    timeout: float | None = None,
) -> Iterator[Transaction]:
    """Opens a transaction, commits at the end, rolls back when the body raises.

    `timeout` (seconds, usually what is left of the caller's deadline) bounds each statement. Raises
    SQLAlchemy's errors; `faults.refusal_of` says what they mean to a caller.
    """
    engine = app if isinstance(app, sqlalchemy.Engine) else app.engine
    connection, now = _begin(engine, read_only=read_only, timeout=timeout)
    with connection:
        tx = Transaction(connection, principal, now)
        yield tx
        tx.flush()
        connection.commit()


def _begin(
    engine: sqlalchemy.Engine, *, read_only: bool, timeout: float | None
) -> tuple[sqlalchemy.Connection, datetime]:
    """BEGIN, time limit and clock in one round trip, which at the same time proves that the connection lives.

    A pooled connection may have died since its last use (the server restarted). Nothing has happened yet when
    BEGIN fails on it, so the next one is tried; a connection opened just now gets no second chance.
    """
    statement = "BEGIN READ ONLY;" if read_only else "BEGIN READ WRITE;"
    if timeout is not None:
        statement += f"SET LOCAL statement_timeout={milliseconds(timeout)};"
    command = (statement + CLOCK).encode()
    started = time.monotonic()
    while True:
        connection = engine.connect()
        fresh = connection.connection.record_info.get("used") is None  # type: ignore[union-attr]
        try:
            now = _exec(connection, command)
        except BaseException as error:
            lost = isinstance(error, psycopg.OperationalError)
            if lost:
                connection.invalidate(error)
            connection.close()
            if lost and not fresh and time.monotonic() - started < 1:
                continue
            if isinstance(error, psycopg.Error):
                raise OperationalError("BEGIN", None, error, connection_invalidated=lost) from error
            raise
        else:
            connection.connection.record_info["used"] = True  # type: ignore[index]
            return connection, now


def _exec(connection: sqlalchemy.Connection, command: bytes) -> datetime:
    """Sends several commands as one message, which only libpq's simple protocol can, and reads the clock."""
    connection.begin()  # tells SQLAlchemy; psycopg sees the open transaction and sends no BEGIN of its own
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    result = driver.pgconn.exec_(command)
    if driver.closed:
        raise psycopg.OperationalError("the connection was lost before the transaction began")
    if result.status != ExecStatus.TUPLES_OK:
        raise psycopg.errors.error_from_result(result)
    value = result.get_value(0, 0)
    assert value is not None
    return datetime.fromisoformat(value.decode())
