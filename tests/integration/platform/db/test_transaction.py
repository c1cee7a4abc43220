"""Transactions: one clock, bounded waits, and no trace of what failed."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from threading import Event, Thread
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from waymark.errors.v1 import reason_pb2

from services.platform.days import UNLESS_TOLD, live_in
from services.platform.db import engine as engines
from services.platform.db.engine import make_engine
from services.platform.db.faults import refusal_of
from services.platform.db.schema import outbox
from services.platform.db.transaction import transaction
from services.platform.db.wire import Prepared, send
from tests.support.databases import Database
from tests.support.events import effects, probe_event

LIMIT = engines.CONNECT_TIMEOUT
PROBE = probe_event("dbprobe")
ROW = {"key": "a", "n": 1, "sent": datetime(2026, 1, 1, tzinfo=UTC)}


def count(engine: sa.Engine, table: sa.Table) -> int:
    with transaction(engine, read_only=True) as tx:
        return tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_now_is_the_databases_clock_in_utc(platform):
    with transaction(platform.engine) as tx:
        assert tx.now == tx.execute(sa.select(sa.func.now())).scalar_one()
        assert tx.now.utcoffset() == timedelta(0)


@pytest.fixture
def far_off(platform: Database) -> Iterator[sa.Engine]:
    """An engine of a process that counts days half a day ahead."""
    live_in(ZoneInfo("Pacific/Kiritimati"))
    engine = make_engine(platform.url, 1)
    yield engine
    engine.dispose()
    live_in(UNLESS_TOLD)


def test_days_of_statements_are_those_of_the_zone_and_moments_stay_utc(far_off: sa.Engine) -> None:
    sent = datetime(2025, 12, 31, 10, 0, 0, 120_000, tzinfo=UTC)
    asked = sa.text("""SELECT current_date AS today, CAST(:sent AS timestamptz)::date AS day,
      date_trunc('year', CAST(:sent AS timestamptz)) AS year, CAST(:sent AS timestamptz) AS sent,
      ARRAY[CAST(:sent AS timestamptz)] AS every,
      CAST(:first AS date) <= CAST(:sent AS timestamptz) AS begun""")
    wired = Prepared("far_off", "SELECT CAST($1 AS timestamptz) AS sent", ("timestamptz",))
    with transaction(far_off) as tx:
        row = tx.execute(asked, {"sent": sent, "first": date(2026, 1, 1)}).one()
        assert (row.day, row.begun) == (date(2026, 1, 1), True)
        assert row.today == tx.today == (tx.now + timedelta(hours=14)).date()
        moments = (row.sent, row.every[0], tx.rows(wired(sent))[0].sent)
        assert moments == (sent,) * 3
        assert row.year == sent.replace(microsecond=0)
        assert {each.utcoffset() for each in (*moments, row.year, tx.now)} == {timedelta(0)}
        # What is hashed and signed is written so.
        assert {each.isoformat() for each in moments} == {"2025-12-31T10:00:00.120000+00:00"}


def test_the_last_moment_of_the_calendar_is_read_in_any_zone(far_off: sa.Engine) -> None:
    last = datetime.max.replace(tzinfo=UTC)  # as people write who mean never
    with transaction(far_off) as tx:
        assert tx.execute(sa.text("SELECT CAST(:last AS timestamptz)"), {"last": last}).scalar_one() == last


def test_now_does_not_follow_this_machines_clock(platform, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with transaction(platform.engine) as tx:
        assert tx.now.year >= 2025


def test_effect_and_event_are_committed_together_or_not_at_all(platform):
    def fail_late():
        with transaction(platform.engine) as tx:
            tx.execute(sa.insert(effects), ROW)
            tx.publish(PROBE(key="a", n=1))
            send(tx.connection, tx.closing.take())  # as the commit does
            raise KeyError

    with pytest.raises(KeyError):
        fail_late()
    assert count(platform.engine, effects) == count(platform.engine, outbox) == 0
    with transaction(platform.engine) as tx:
        tx.execute(sa.insert(effects), ROW)
        tx.publish(PROBE(key="a", n=1))
    assert count(platform.engine, effects) == count(platform.engine, outbox) == 1


def test_many_events_keep_their_place_among_others_and_go_with_the_transaction(platform):
    def told(fail: bool) -> None:
        with transaction(platform.engine) as tx:
            tx.publish(PROBE(key="a", n=1))
            tx.stream(tx.publishing(PROBE(key="a", n=n) for n in range(2, 500)))
            tx.publish(PROBE(key="a", n=500))
            if fail:
                send(tx.connection, tx.closing.take())  # as the commit does
                raise KeyError

    with pytest.raises(KeyError):
        told(fail=True)
    assert count(platform.engine, outbox) == 0
    told(fail=False)
    with transaction(platform.engine, read_only=True) as tx:
        payloads = tx.execute(sa.select(outbox.c.payload).order_by(outbox.c.seq)).scalars()
        assert [PROBE.FromString(bytes(payload)).n for payload in payloads] == list(range(1, 501))


def test_an_event_without_key_fails_the_transaction_that_publishes_it(platform):
    with pytest.raises(ValueError, match="has no key"), transaction(platform.engine) as tx:
        tx.publish(PROBE(n=1))
    assert count(platform.engine, outbox) == 0


def test_a_read_only_transaction_cannot_write(platform):
    with pytest.raises(DBAPIError, match="read-only"), transaction(platform.engine, read_only=True) as tx:
        tx.execute(sa.insert(effects), ROW)


OPEN_CURSORS = sa.text("SELECT count(*) FROM pg_cursors WHERE name <> ''")


def test_rows_in_parts_come_by_a_cursor_and_nothing_else_does(platform):
    with transaction(platform.engine) as tx:
        tx.execute(sa.insert(effects), [{**ROW, "n": n} for n in range(5)])
        sizes, cursors = [], []
        for part in tx.parts(sa.select(effects), 2):
            sizes.append(len(part))
            cursors.append(tx.execute(OPEN_CURSORS).scalar_one())
        assert sizes == [2, 2, 1]
        assert cursors == [1, 1, 1]
        assert tx.execute(OPEN_CURSORS).scalar_one() == 0


def test_rows_in_parts_are_those_after_what_waits_for_the_commit(platform):
    add = Prepared("test_add", "INSERT INTO effects (key, n, sent) VALUES ('a', 1, now())")
    with transaction(platform.engine) as tx:
        tx.at_commit(add())
        assert [row.n for part in tx.parts(sa.select(effects), 2) for row in part] == [1]


def test_a_statement_ends_at_the_deadline(platform):
    started = time.monotonic()
    with pytest.raises(DBAPIError) as error, transaction(platform.engine, timeout=0.2) as tx:
        tx.execute(sa.select(sa.func.pg_sleep(20)))
    assert time.monotonic() - started < 15
    assert refusal_of(error.value).reason == reason_pb2.REASON_DEADLINE_EXCEEDED
    with transaction(platform.engine) as tx:  # the limit was that transaction's alone
        tx.execute(sa.select(sa.func.pg_sleep(0.3)))


def test_a_statement_that_is_too_much_for_the_server_is_our_fault(platform):
    """Called a server that is away, it would be waited out for good."""
    with pytest.raises(DBAPIError) as error, transaction(platform.engine) as tx:
        tx.execute(sa.text("SELECT " + " + ".join(["1"] * 100_000)))
    assert isinstance(error.value.orig, psycopg.errors.StatementTooComplex)
    assert refusal_of(error.value) is None


def test_each_wait_of_a_session_is_bounded_by_the_server_unless_told_otherwise(platform):
    engine = make_engine(platform.url, 1)
    with engine.connect() as connection:
        shown = {
            name: connection.execute(sa.text(f"SHOW {name}")).scalar_one()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        }
    engine.dispose()
    assert list(shown.values()) == ["30s", "3s", "20s"]


def test_waiting_for_a_lock_ends(platform):
    engine = make_engine(platform.url, 2, lock_timeout=0.2)
    with transaction(engine) as holder:
        holder.execute(sa.text("LOCK TABLE effects"))
        with pytest.raises(DBAPIError) as error, transaction(engine) as tx:
            tx.execute(sa.insert(effects), ROW)
    assert refusal_of(error.value).reason == reason_pb2.REASON_LOCKED
    engine.dispose()


def test_a_full_pool_refuses_instead_of_queueing(platform, monkeypatch):
    monkeypatch.setattr(engines, "POOL_TIMEOUT", 0.2)
    engine = make_engine(platform.url, 1)
    with transaction(engine), pytest.raises(PoolTimeout) as error, transaction(engine):
        pass
    assert refusal_of(error.value).reason == reason_pb2.REASON_OVERLOADED
    engine.dispose()


def test_connections_that_died_in_the_pool_are_replaced_unseen(platform, postgres):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: hold(platform.engine), range(4)))
    terminate(postgres, platform)
    for _ in range(5):
        with transaction(platform.engine) as tx:
            tx.execute(sa.select(1))


def test_control_without_the_second_try_a_dead_connection_shows(platform, postgres):
    hold(platform.engine)
    terminate(postgres, platform)
    with pytest.raises(DBAPIError), platform.engine.begin() as connection:
        connection.execute(sa.select(1))


def test_an_unreachable_server_is_told_at_once():
    engine = make_engine("postgresql://nobody@127.0.0.1:9/none", 1)
    started = time.monotonic()
    with pytest.raises(DBAPIError) as error, transaction(engine):
        pass
    assert time.monotonic() - started < 4  # it refuses; waiting for it would take longer
    assert refusal_of(error.value).reason == reason_pb2.REASON_UNAVAILABLE


@contextmanager
def mute() -> Iterator[str]:
    """Address of a server that takes connections and never says a word, as a frozen one does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"postgresql://nobody@127.0.0.1:{server.getsockname()[1]}/none"
        server.shutdown(socket.SHUT_RDWR)


def connect(url: str, ended: Event, seen: list[DBAPIError]) -> None:
    engine = make_engine(url, 1)
    try:
        engine.connect()
    except DBAPIError as error:
        seen.append(error)
    engine.dispose()
    ended.set()


@pytest.mark.parametrize("limited", [True, False], ids=["limit", "control"])
def test_a_server_that_never_answers_is_given_up_and_without_the_limit_it_is_not(limited, monkeypatch):
    if not limited:
        monkeypatch.setattr(engines, "CONNECT_TIMEOUT", 0)  # libpq: wait for ever
    ended, seen = Event(), []
    with mute() as url:
        thread = Thread(target=connect, args=(url, ended, seen))
        thread.start()
        assert ended.wait(60 if limited else 3 * LIMIT) is limited
    thread.join()
    assert refusal_of(seen[0]).reason == reason_pb2.REASON_UNAVAILABLE


def hold(engine: sa.Engine) -> None:
    with transaction(engine) as tx:
        tx.execute(sa.select(sa.func.pg_sleep(0.05)))


def terminate(admin_url: str, platform) -> None:
    admin = make_engine(admin_url, 1)
    name = sa.engine.make_url(platform.url).database
    with admin.begin() as connection:
        connection.execute(
            # Waits until each has ended.
            sa.text("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )
    admin.dispose()
