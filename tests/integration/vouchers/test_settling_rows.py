"""What became of a chunk of an allocation is written by a plan that does not compare each row with all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy
from sqlalchemy import text

from services.platform.db.engine import make_engine
from services.platform.db.transaction import transaction
from services.platform.db.wire import Prepared
from services.platform.operations import store as operations
from services.vouchers import allocating
from services.vouchers.domain.allocation_file import Named
from services.vouchers.store import allocations
from services.vouchers.store.allocations import RowOutcome, Settled
from tests.support.databases import Databases

CHUNKS, SIZE = 20, allocating.SIZE


@pytest.fixture
def engine(database: Databases) -> Iterator[sqlalchemy.Engine]:
    """Every transaction runs on the same connection, as most do on one that is warm."""
    one = make_engine(database("vouchers").url, 1)
    yield one
    one.dispose()


def plan_after_many(engine: sqlalchemy.Engine) -> str:
    """Settles all rows of a run; returns the plan that the database has kept for it by then, made for any
    number of rows."""
    with transaction(engine) as tx:
        run = operations.add(tx, allocating.KIND, {}, 0).id
        people = range(1, CHUNKS * SIZE + 1)
        allocations.stage(tx, run, (Named(line, f"learners/{line}", None, "") for line in people))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE allocation_rows"))
    for start in range(1, CHUNKS * SIZE, SIZE):
        refused = int(RowOutcome.REFUSED)
        settled = [
            Settled(line, refused, 0, None, ["BUDGET_EXHAUSTED"], []) for line in range(start, start + SIZE)
        ]
        with transaction(engine) as tx:
            tx.stream(allocations.settling(run, settled))
    with transaction(engine) as tx:
        found = """SELECT name, cardinality(parameter_types) AS parameters, generic_plans
          FROM pg_prepared_statements WHERE statement LIKE 'UPDATE allocation_rows%'"""
        (kept,) = tx.execute(text(found)).all()
        assert kept.generic_plans > CHUNKS / 2
        values = ", ".join(["NULL"] * kept.parameters)
        lines = tx.connection.exec_driver_sql(f'EXPLAIN EXECUTE "{kept.name}" ({values})').scalars()
        return "\n".join(lines)


def test_a_plan_for_any_number_of_rows_has_no_nested_loop(engine: sqlalchemy.Engine) -> None:
    assert "Hash Join" in (plan := plan_after_many(engine)), plan
    assert "Nested Loop" not in plan


def test_control_without_the_setting_it_has_one(
    engine: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocations, "_WITHOUT_LOOPS", Prepared("with_loops", "SELECT 1")())
    assert "Nested Loop" in plan_after_many(engine)
