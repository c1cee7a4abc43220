"""A rollback leaves what is prepared on a connection alone."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

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


def test_the_platforms_statements_outlive_a_rollback(database) -> None:
    spend(database("portfolio").url)


def test_the_drivers_own_rollback_would_drop_them(database, monkeypatch) -> None:
    """Control."""
    with pytest.raises(ProgrammingError, match="does not exist"):
        spend(database("portfolio").url, monkeypatch)
