"""Database engine of a process: psycopg 3 under SQLAlchemy Core, a pool as large as the server has threads.

Nothing here waits for long: a full pool, a server that does not answer and a statement that does not end all
fail within a bound, so that callers hear UNAVAILABLE instead of hanging.
"""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy
from psycopg.adapt import Loader
from sqlalchemy.engine import URL, make_url

from services.platform.days import zone
from services.platform.db.arrays import ArrayDumper
from services.platform.db.copying import encode
from services.platform.db.wire import rollback

if TYPE_CHECKING:
    from psycopg.abc import Buffer

CONNECT_TIMEOUT = 2  # seconds; libpq treats less than two as two
POOL_TIMEOUT = 1.0  # seconds a thread waits for a connection of its own pool
STATEMENT_TIMEOUT = 30.0  # seconds, unless a transaction brings its own deadline
LOCK_TIMEOUT = 3.0  # seconds waiting for a row that another call is changing
IDLE_TIMEOUT = 20.0  # seconds a transaction may stay open without a statement

# A peer that vanished without a word is noticed in about ten seconds instead of two hours: by the last, in
# milliseconds, where something was sent to it, else by the others, in seconds.
SILENCE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def make_engine(
    url: str,
    threads: int,
    *,
    statement_timeout: float = STATEMENT_TIMEOUT,
    lock_timeout: float = LOCK_TIMEOUT,
    application: str = "waymark",
) -> sqlalchemy.Engine:
    """Returns an engine with `threads` pooled connections; opens none yet.

    `url` is a `postgresql://` address (TCP or `?host=/socket/dir`). Timeouts are in seconds and enforced by
    the server. Sessions run in the zone in which days are counted, and what is read of them is UTC.
    """
    options = {
        "statement_timeout": milliseconds(statement_timeout),
        "lock_timeout": milliseconds(lock_timeout),
        "idle_in_transaction_session_timeout": milliseconds(IDLE_TIMEOUT),
        "timezone": zone().key,
        "datestyle": "ISO",
        "jit": "off",  # statements here are short; compiling a plan costs more than it saves
    }
    connect: dict[str, Any] = {
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        "connect_timeout": CONNECT_TIMEOUT,
        "application_name": application,
        "prepare_threshold": 3,
        **SILENCE,
    }
    engine = sqlalchemy.create_engine(
        driver_url(url),
        pool_size=threads,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        pool_use_lifo=True,  # keeps the warm connections, with their prepared statements, in use
        json_serializer=encode,
        use_native_hstore=False,  # saves a catalogue look-up per connection
        connect_args=connect,
        hide_parameters=True,  # values may be personal data and must not reach an error text
    )
    engine.dialect.do_rollback = rollback  # type: ignore[assignment]
    sqlalchemy.event.listen(engine, "connect", _adapt)
    return engine


class _InUtc(Loader):
    """Reads moments as UTC, whatever the zone of the session."""

    def load(self, data: Buffer) -> datetime:
        said = bytes(data).decode()
        if said.startswith("10000-"):  # ahead of UTC, the last hours of the calendar have begun the next year
            return datetime.fromisoformat(f"2000-{said[6:]}").astimezone(UTC).replace(year=MAXYEAR)
        return datetime.fromisoformat(said).astimezone(UTC)


def _adapt(connection: psycopg.Connection[Any], _: Any) -> None:
    connection.adapters.register_dumper(list, ArrayDumper)
    if connection.pgconn.parameter_status(b"TimeZone") != b"UTC":  # there the driver's own, which is quicker
        connection.adapters.register_loader("timestamptz", _InUtc)


def driver_url(url: str) -> URL:
    """Returns the address with the psycopg 3 driver named, as SQLAlchemy wants it."""
    return make_url(url).set(drivername="postgresql+psycopg")


def milliseconds(seconds: float) -> int:
    """Seconds as PostgreSQL's timeouts count them: whole milliseconds, at least one (zero would mean
    never)."""
    return max(1, round(seconds * 1000))
