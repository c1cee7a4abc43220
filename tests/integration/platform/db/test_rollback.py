"""A rollback leaves what is prepared on a connection alone."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from waymark.errors.v1 import reason_pb2

from services.platform.db import wire
from services.platform.db.engine import make_engine
from services.platform.db.faults import refusal_of
from services.platform.db.transaction import transaction
from services.platform.db.wire import Call, Prepared, rollback

ONE = Prepared("one", "SELECT $1", ("text",))


def spend(url: str, monkeypatch=None) -> None:
    """Calls the prepared statement before and after a rollback on a connection where psycopg prepares too."""
    engine = make_engine(url, 1)
    if monkeypatch:
        monkeypatch.setattr(engine.dialect, "do_rollback", psycopg.Connection.rollback)
    try:
        with transaction(engine) as tx:
            tx.at_commit(Call(ONE, ("a",)))
            for _ in range(5):
                tx.execute(text("SELECT 1"))
        with pytest.raises(RuntimeError), transaction(engine):
            raise RuntimeError
        with transaction(engine) as tx:
            tx.at_commit(Call(ONE, ("b",)))
            tx.execute(text("SELECT 1"))
    finally:
        engine.dispose()


@pytest.fixture
def prepared(monkeypatch) -> list[str]:
    """Names of what is prepared, each time that it is."""
    names: list[str] = []
    prepare = wire._prepare
    monkeypatch.setattr(
        wire, "_prepare", lambda driver, statement: (names.append(statement.name), prepare(driver, statement))
    )
    return names


def test_the_platforms_statements_outlive_a_rollback(database, prepared) -> None:
    spend(database("portfolio").url)
    assert prepared.count("one") == 1


def test_the_drivers_own_rollback_would_drop_them(database, prepared, monkeypatch) -> None:
    """Control; and what was dropped outside a transaction is made good."""
    spend(database("portfolio").url, monkeypatch)
    assert prepared.count("one") == 2


def test_what_was_dropped_is_made_good_where_the_first_call_is_new_and_begins_a_transaction(
    database, prepared
) -> None:
    engine = make_engine(database("portfolio").url, 1)
    try:
        with transaction(engine) as tx:
            tx.execute(text("SELECT 1"))
        with engine.connect() as connection:
            connection.exec_driver_sql("DEALLOCATE ALL")
            connection.commit()
        known = list(prepared)
        with transaction(engine, read_only=True) as tx:  # begins by another statement, then asks the same
            assert tx.execute(text("SELECT 1")).scalar() == 1
        assert set(prepared[len(known) :]) - set(known)
    finally:
        engine.dispose()


def test_a_server_that_ended_the_connection_is_unreachable_and_no_mistake_of_ours(database) -> None:
    engine = make_engine(database("portfolio").url, 2)
    try:
        with engine.connect() as ended, engine.connect() as other:
            number = ended.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            other.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 10000)")
            with pytest.raises(psycopg.OperationalError) as raised:
                rollback(ended.connection.driver_connection)
            refusal = refusal_of(raised.value)
            ended.invalidate()
        assert refusal is not None
        assert refusal.reason == reason_pb2.REASON_UNAVAILABLE
    finally:
        engine.dispose()
