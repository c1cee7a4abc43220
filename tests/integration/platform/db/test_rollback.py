"""A rollback leaves what is prepared on a connection alone."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from services.platform.db import wire
from services.platform.db.engine import make_engine
from services.platform.db.transaction import transaction
from services.platform.db.wire import Call, Prepared

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
