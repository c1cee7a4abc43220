"""One transaction per request: connection, caller, the database's clock and the events to publish."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from waymark.errors.v1 import reason_pb2

from services.platform.days import day_of
from services.platform.db.closing import Closing
from services.platform.db.engine import milliseconds
from services.platform.db.wire import Call, Prepared, keep_ahead, loaded, rows, send, stream
from services.platform.errors import Refusal
from services.platform.identity.principals import ANONYMOUS, Principal
from services.platform.telemetry.tracing import current_traceparent

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from psycopg.pq.abc import PGresult

    from services.platform.app import App
    from services.platform.db.requests import Claiming

# ISO 8601 in UTC, whatever DateStyle and zone the session has: the one format `datetime.fromisoformat` must
# read.
CLOCK = """to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
_BEGIN_WRITING = Prepared("waymark_begin", "BEGIN READ WRITE")()
_BEGIN_READING = Prepared("waymark_begin_reading", "BEGIN READ ONLY")()
_NOW = Prepared("waymark_now", f"SELECT {CLOCK}")()
_NOW_AND_LIMIT = Prepared(
    "waymark_now_and_limit", f"SELECT {CLOCK}, set_config('statement_timeout', $1, true)", ("text",)
)
_COMMIT = Prepared("waymark_commit", "COMMIT")()
EVENTS_AT_ONCE = 200  # in one statement of a stream
_MAY_IDLE = sqlalchemy.text("SELECT set_config('idle_in_transaction_session_timeout', :limit, true)")


class Transaction:
    """An open database transaction. `now` is its start by the database clock (aware, UTC)."""

    def __init__(self, connection: sqlalchemy.Connection, principal: Principal, now: datetime) -> None:
        self.connection = connection
        self.principal = principal
        self.now = now
        self.opening: Any = None  # row of the call `opening` that was sent along with BEGIN
        self.closing = Closing()

    @property
    def today(self) -> date:
        """The legal day on which the transaction started, by the database clock."""
        return day_of(self.now)

    def execute(
        self,
        statement: sqlalchemy.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sqlalchemy.CursorResult[Any]:
        """Runs a statement, once or once per element of `parameters`."""
        if self.closing.calls:
            self.flush()  # it must see what has been written
        return self.connection.execute(statement, parameters)

    def one(
        self, statement: sqlalchemy.Executable, parameters: Mapping[str, Any] | None = None
    ) -> sqlalchemy.Row[Any]:
        """Returns the one row of a statement; raises Refusal(NOT_FOUND) when there is none."""
        row = self.execute(statement, parameters).one_or_none()
        if row is None:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        return row

    def parts(
        self, statement: sqlalchemy.Select[Any] | sqlalchemy.TextClause, size: int
    ) -> Iterator[Sequence[sqlalchemy.Row[Any]]]:
        """Yields the rows of a statement, `size` at a time, by a cursor of the database's: with flat
        memory."""
        # Options of the statement: those of the connection would give every later one a cursor too.
        with closing(self.execute(statement.execution_options(yield_per=size))) as found:
            yield from found.partitions()

    def rows(self, call: Call) -> list[Any]:
        """Returns the rows of a call, columns as attributes; no round trip for one sent ahead with BEGIN."""
        if self.closing.calls:
            self.flush()
        return rows(self.connection, call)

    def together(self, *calls: Call) -> list[list[Any]]:
        """Returns the rows of each of some calls, which go as one message; a call sees what those before it
        have waited for."""
        self.flush()
        results = send(self.connection, calls)
        return [loaded(self.connection, *pair) for pair in zip(calls, results, strict=True)]

    def publish(self, event: Message) -> None:
        """Adds an event to the outbox, to leave the service if and only if this transaction commits.

        Topic and key come from the message's `waymark.options.v1.event` option. Publish while holding the
        lock on the aggregate's row: the order of one aggregate's events is the order of these calls.
        """
        from services.platform.events import outbox  # needs what this package offers

        self.closing.events.append(outbox.row(event, current_traceparent()))

    def publishing(self, events: Iterable[Message]) -> Iterator[Call]:
        """Publishes many events; yields what writes them by and by, for `stream`. The last go with the
        commit."""
        from services.platform.events import outbox

        for event in events:
            self.publish(event)
            if len(self.closing.events) >= EVENTS_AT_ONCE:
                yield outbox.append(self.closing.events)
                self.closing.events = []

    def at_commit(self, call: Call) -> None:
        """Adds a call that travels in the message of the COMMIT, or before the next statement of this
        transaction; an error in it shows there."""
        self.closing.calls.append(call)

    def keep_answer(self, claiming: Claiming, answer: bytes) -> None:
        """Keeps the serialized answer for repeats of the request; `claiming` has been claimed in this
        transaction."""
        self.closing.answers.append((claiming, answer))

    def stream(self, calls: Iterable[Call]) -> None:
        """Runs calls that answer nothing, each while the next is made. What makes them may use nothing of the
        transaction but `publish`."""
        self.flush()
        stream(self.connection, calls)

    def flush(self) -> None:
        """Writes what waits for the commit, except events and answers: no statement of this transaction reads
        those."""
        calls, self.closing.calls = self.closing.calls, []
        if calls:
            send(self.connection, calls)


@contextmanager
def transaction(
    app: App | sqlalchemy.Engine,
    principal: Principal = ANONYMOUS,
    *,
    read_only: bool = False,
    timeout: float | None = None,
    opening: Call | None = None,
    ahead: Sequence[Call] = (),
) -> Iterator[Transaction]:
    """Opens a transaction, commits at the end, rolls back when the body raises.

    `timeout` (seconds, usually what is left of the caller's deadline) bounds each statement. `opening` is
    sent along with BEGIN; it returns one row, to be found in `Transaction.opening`.
    `ahead` follows in the same message; `Transaction.rows` finds the answers.
    Raises SQLAlchemy's errors; `faults.refusal_of` says what they mean to a caller.
    """
    engine = app if isinstance(app, sqlalchemy.Engine) else app.engine
    calls = [opening, *ahead] if opening else ahead
    opened = begin(engine, calls, read_only=read_only, timeout=timeout)
    with opened.connection as connection:
        tx = Transaction(connection, principal, opened.now)
        answers = opened.results
        if opening:
            tx.opening = loaded(connection, opening, answers[0])[0]
            answers = answers[1:]
        keep_ahead(connection, ahead, answers)
        yield tx
        commit(connection, tx.closing.take())


def may_idle(tx: Transaction, seconds: float) -> None:
    """Lets the transaction stand idle for so long: until somebody has taken what it read, or while its work
    is done elsewhere."""
    tx.execute(_MAY_IDLE, {"limit": str(milliseconds(seconds))})


class Opened(NamedTuple):
    """A transaction just begun: its clock, and the results of what was sent along."""

    connection: sqlalchemy.Connection
    now: datetime
    results: Sequence[PGresult]


def begin(
    engine: sqlalchemy.Engine,
    along: Sequence[Call] = (),
    *,
    read_only: bool = False,
    timeout: float | None = None,
) -> Opened:
    """BEGIN, time limit (seconds), clock and what travels along in one round trip, which also proves that the
    connection lives.

    A pooled connection may have died since its last use (the server restarted). Nothing has happened yet when
    BEGIN fails on it, so the next one is tried; a connection opened just now gets no second chance.
    """
    now = _NOW if timeout is None else _NOW_AND_LIMIT(str(milliseconds(timeout)))
    calls = [_BEGIN_READING if read_only else _BEGIN_WRITING, now, *along]
    started = time.monotonic()
    while True:
        connection = engine.connect()
        fresh = "used" not in connection.info
        try:
            connection.begin()  # tells SQLAlchemy; psycopg sees the open transaction and sends no BEGIN
            _, clock, *results = send(connection, calls)
            connection.info["used"] = True
            moment = clock.get_value(0, 0)
            assert moment is not None
            return Opened(connection, datetime.fromisoformat(moment.decode()), results)
        except BaseException as error:
            connection.close()
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            if lost and not fresh and time.monotonic() - started < 1:
                continue
            raise


def commit(connection: sqlalchemy.Connection, calls: Sequence[Call]) -> None:
    """Commits, with what is left to write in the same message."""
    if calls:
        result = send(connection, [*calls, _COMMIT])[-1]
        # The server answers COMMIT in a failed transaction with a rollback and no error.
        if result.command_status != b"COMMIT":
            raise PendingRollbackError("The transaction had failed before it was committed.")
    connection.commit()  # after COMMIT was sent: tells SQLAlchemy, and sends nothing
