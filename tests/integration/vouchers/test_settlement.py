"""Paying many at once: the ledger holds, and the number of statements does not grow with the redemptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, text
from waymark.vouchers.v1 import payout_batch_pb2 as pb

from services.platform.db.transaction import Transaction, transaction
from services.vouchers import jobs, settlement
from services.vouchers.store import ledger
from tests.support.vouchers import NO_EVIDENCE, World, cents


@pytest.fixture
def statements(world: World) -> Iterator[Callable[[], int]]:
    """Returns how many statements the server has sent to the database."""
    sent: list[str] = []
    event.listen(world.app.engine, "before_cursor_execute", lambda *call: sent.append(call[2]))
    yield lambda: len(sent)
    world.app.engine.dispose()


def owe(world: World, vouchers: int, each: int) -> int:
    """Has `each` redemptions of different amounts accepted on every voucher; returns the sum in cents."""
    programme = world.programme(fund=vouchers * 100_000, **NO_EVIDENCE)
    total = 0
    for _ in range(vouchers):
        learner, voucher = world.voucher(programme)
        for place in range(1, each + 1):
            world.accepted(learner, voucher, amount=100 + place, accept=100)
            total += 100
    return total


def pay(world: World, statements: Callable[[], int]) -> tuple[int, int]:
    """Pays what is owed; returns the cents paid, and the statements that release and approval took."""
    before = statements()
    jobs.release_held(world.app)
    released = statements() - before
    batch = world.batch()
    world.payer.batches.FreezePayoutBatch(pb.FreezePayoutBatchRequest(name=batch.name))
    before = statements()
    world.approver.batches.ApprovePayoutBatch(pb.ApprovePayoutBatchRequest(name=batch.name))
    return cents(batch.total), released + statements() - before


def test_hundreds_are_paid_by_as_many_statements_as_a_few(
    world: World, statements: Callable[[], int]
) -> None:
    world.bank_account()
    owed = owe(world, vouchers=2, each=2)
    paid, few = pay(world, statements)
    assert paid == owed
    more = owe(world, vouchers=6, each=50)
    paid, many = pay(world, statements)
    assert (paid, many) == (more, few)
    report = world.verify()
    assert report.intact, report.findings
    assert world.balances().get(5, 0) == world.balances().get(6, 0) == 0
    assert world.balances()[7] == owed + more
    with transaction(world.app) as tx:
        found = tx.execute(
            text("SELECT state, sum(held_cents + cleared_cents) FROM redemptions GROUP BY state")
        )
        assert [tuple(row) for row in found] == [(7, 0)]
        chains = "SELECT count(DISTINCT shard) FROM ledger_entries WHERE operation = 'payout'"
        assert tx.execute(text(chains)).scalar_one() > 3


def one_by_one(tx: Transaction, bookings: Any) -> None:
    for shard, booking in bookings:
        ledger.post(tx, ledger.lock_head(tx, shard), booking)


def test_control_posted_one_by_one_statements_grow(
    world: World, statements: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "post_all", one_by_one)
    world.bank_account()
    owe(world, vouchers=2, each=2)
    _, few = pay(world, statements)
    owe(world, vouchers=2, each=10)
    _, more = pay(world, statements)
    # Sixteen redemptions more, released and paid, each locked; what is posted travels beside the statements.
    assert more - few == 16 * 2


def test_what_does_not_fit_one_statement_is_entered_by_several(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "AT_ONCE", 4)
    monkeypatch.setattr(jobs, "AT_ONCE", 4)
    world.bank_account()
    owed = owe(world, vouchers=3, each=3)
    assert pay(world, lambda: 0)[0] == owed
    assert world.verify().intact
