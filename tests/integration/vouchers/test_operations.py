"""Work in the background: chunk by chunk, stopped and resumed, repeated nothing after a crash."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.operations import runner, store
from services.platform.operations.runner import Chunk, run_chunk, run_due
from services.platform.operations.store import State
from services.platform.operations.table import operations
from tests.support.vouchers import World

LENGTH = 3  # chunks


def counting(_: Any, __: Transaction, row: Any) -> Chunk:
    """Work that counts its chunks."""
    number = row.place.get("next", 0)
    seen = [*row.result.get("seen", []), number]
    return Chunk({"next": number + 1}, {"seen": seen}, 1, number + 1 == LENGTH)


def queued(world: World) -> str:
    """Queues work; returns its id."""
    with transaction(world.app) as tx:
        return str(store.add(tx, "count", {}, LENGTH).id)


def row_of(world: World, operation: str) -> Any:
    """Returns the work's row."""
    with transaction(world.app, read_only=True) as tx:
        return store.get(tx, operation)


def due_now(world: World) -> None:
    """Lets no pause stand in the way."""
    with transaction(world.app) as tx:
        tx.execute(update(operations).values(try_at=operations.c.created_at))


def test_work_is_done_chunk_by_chunk_and_then_no_more(world: World) -> None:
    operation = queued(world)
    states = []
    while run_chunk(world.app, {"count": counting}):
        states.append(State(row_of(world, operation).state))
    assert states == [State.RUNNING, State.RUNNING, State.SUCCEEDED]
    assert row_of(world, operation).result == {"seen": [0, 1, 2]}
    assert row_of(world, operation).done == LENGTH


def test_a_slice_does_several_chunks(world: World) -> None:
    operation = queued(world)
    run_due(world.app, {"count": counting})
    assert row_of(world, operation).state == State.SUCCEEDED


@pytest.mark.parametrize("guard", [True, False], ids=["slice", "control"])
def test_long_work_lets_other_jobs_have_their_turn_and_without_the_slice_it_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch, guard: bool
) -> None:
    monkeypatch.setattr(runner, "SLICE", 0.01 if guard else math.inf)

    def long(app: Any, tx: Transaction, row: Any) -> Chunk:
        time.sleep(0.02)
        return counting(app, tx, row)

    operation = queued(world)
    run_due(world.app, {"count": long})
    assert row_of(world, operation).done == (1 if guard else LENGTH)


def test_cancelled_work_stops_and_goes_on_where_it_was(world: World) -> None:
    operation = queued(world)
    run_chunk(world.app, {"count": counting})
    with transaction(world.app) as tx:
        store.cancel(tx, operation)
    assert not run_chunk(world.app, {"count": counting})
    with transaction(world.app) as tx:
        store.resume(tx, operation)
    run_due(world.app, {"count": counting})
    assert row_of(world, operation).result == {"seen": [0, 1, 2]}


@pytest.mark.parametrize("together", [True, False], ids=["one transaction", "control"])
def test_a_crash_repeats_nothing_and_would_if_the_place_were_kept_apart(
    world: World, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    """The chunk's effect is a row of another kind of work; the crash comes before its place is kept."""
    note: Callable[..., None] = runner._note
    crashes = iter([True])

    def crashing(tx: Transaction, row: Any, chunk: Chunk) -> None:
        if not together:
            tx.connection.commit()
        if next(crashes, False):
            raise ConnectionError("the machine is gone")
        if not together:
            with transaction(world.app) as other:
                note(other, row, chunk)
        else:
            note(tx, row, chunk)

    def effect(app: Any, tx: Transaction, row: Any) -> Chunk:
        store.change(tx, store.add(tx, "effect", {}, 0).id, state=int(State.SUCCEEDED))
        return counting(app, tx, row)

    queued(world)
    monkeypatch.setattr(runner, "_note", crashing)
    for _ in range(LENGTH + 1):
        due_now(world)
        run_chunk(world.app, {"count": effect})
    with transaction(world.app, read_only=True) as tx:
        effects = len(tx.execute(store.listed("effect")).all())
    assert effects == (LENGTH if together else LENGTH + 1)


def test_what_fails_again_and_again_ends_with_a_reason_and_can_go_on(world: World) -> None:
    operation = queued(world)

    def broken(*_: Any) -> Chunk:
        raise RuntimeError("no luck")

    for _ in range(runner.TRIES):
        assert row_of(world, operation).state == State.QUEUED
        due_now(world)
        run_chunk(world.app, {"count": broken})
    failed = row_of(world, operation)
    assert (failed.state, failed.reason, failed.explanation) == (State.FAILED, "INTERNAL", "")
    with transaction(world.app) as tx:
        store.resume(tx, operation)
    run_due(world.app, {"count": counting})
    assert row_of(world, operation).state == State.SUCCEEDED


@pytest.mark.parametrize(
    ("reason", "state"),
    [(reason_pb2.REASON_UNAVAILABLE, State.SUCCEEDED), (reason_pb2.REASON_NOT_FOUND, State.FAILED)],
    ids=["passing", "for good"],
)
def test_a_refusal_that_passes_is_waited_out_and_any_other_ends_the_work(
    world: World, reason: int, state: State
) -> None:
    operation, refusals = queued(world), iter([Refusal(reason)])

    def refusing(app: Any, tx: Transaction, row: Any) -> Chunk:
        if refusal := next(refusals, None):
            raise refusal
        return counting(app, tx, row)

    for _ in range(LENGTH + 1):
        due_now(world)
        run_chunk(world.app, {"count": refusing})
    assert row_of(world, operation).state == state


def test_a_failed_try_waits_before_the_next(world: World) -> None:
    operation = queued(world)

    def broken(*_: Any) -> Chunk:
        raise RuntimeError("no luck")

    run_chunk(world.app, {"count": broken})
    row = row_of(world, operation)
    assert row.try_at - row.created_at > timedelta(seconds=0.9)
    assert not run_chunk(world.app, {"count": broken})


@pytest.mark.parametrize("locked", [True, False], ids=["lock", "control"])
def test_two_replicas_never_do_the_same_chunk_and_without_the_lock_they_do(
    world: World, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    inside, go_on, begun = threading.Semaphore(0), threading.Event(), []

    def slow(app: Any, tx: Transaction, row: Any) -> Chunk:
        begun.append(row.place)
        inside.release()
        go_on.wait(60)
        return counting(app, tx, row)

    if not locked:

        def unlocked(tx: Transaction) -> Any:
            return tx.execute(store.listed("count")).one()

        monkeypatch.setattr(store, "next_due", unlocked)
    queued(world)
    first = threading.Thread(target=run_chunk, args=(world.app, {"count": slow}))
    first.start()
    assert inside.acquire(timeout=60)
    second = threading.Thread(target=run_chunk, args=(world.app, {"count": slow}))
    second.start()
    if locked:
        second.join(60)
    else:
        assert inside.acquire(timeout=60)
    go_on.set()
    first.join(60)
    second.join(60)
    assert len(begun) == (1 if locked else 2)
