"""A ledger with some history, who owns its database, and what verification says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.platform.db.engine import driver_url
from services.vouchers import checkpointing
from tests.support.vouchers import NO_EVIDENCE, World

Tamper = Callable[..., Any]


@pytest.fixture
def spent(world: World) -> World:
    """A world with some history and a checkpoint."""
    programme = world.programme(**NO_EVIDENCE)
    for _ in range(2):
        learner, voucher = world.voucher(programme)
        world.accepted(learner, voucher, amount=60_000, accept=50_000)
    checkpointing.checkpoint(world.app)
    return world


@pytest.fixture
def tamper(spent: World, postgres: str) -> Tamper:
    """Runs a statement as the database's administrator, past every trigger."""

    def run(statement: str, **values: Any) -> Any:
        name = make_url(spent.app.settings.database_url).database
        engine = sqlalchemy.create_engine(driver_url(postgres).set(database=name), use_native_hstore=False)
        with engine.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            result = connection.execute(text(statement), values)
            rows = result.all() if result.returns_rows else []
        engine.dispose()
        return rows

    return run


def chain(tamper: Tamper) -> int:
    """Returns the longest chain."""
    found = tamper("SELECT shard FROM ledger_entries GROUP BY shard ORDER BY count(*) DESC LIMIT 1")
    return int(found[0].shard)


def findings(world: World) -> set[tuple[int, int, str]]:
    """Returns what verification finds."""
    report = world.verify()
    assert report.intact == (not report.findings)
    return {(item.shard, item.sequence, item.kind) for item in report.findings}
