"""A round of a job: what fails, or stays as it is, keeps nothing back that comes after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.vouchers import job_rounds, jobs
from services.vouchers.store import redemptions as store
from tests.support.vouchers import NO_EVIDENCE, World


class Queue:
    """Things that are due until they are done; `bad` ones fail in a way of their own."""

    def __init__(self, due: list[str], bad: dict[str, Exception]) -> None:
        self.left, self.bad, self.tried = due, bad, list[str]()

    def due(self, tx: Transaction, limit: int) -> list[str]:
        """Returns what is left."""
        return self.left[:limit]

    def act(self, tx: Transaction, key: str) -> None:
        """Does one."""
        self.tried.append(key)
        if key in self.bad:
            raise self.bad[key]
        if key != "stays":
            self.left.remove(key)


def test_each_is_tried_once_and_the_first_failure_is_told_at_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_rounds, "BATCH", 2)
    moved = Refusal(reason_pb2.REASON_WRONG_STATE)
    bad: dict[str, Exception] = {"a": ValueError("broken"), "b": moved, "d": KeyError("d")}
    every = ["a", "b", "stays", "c", "d", "e", "f"]
    queue, next_ = Queue(list(every), bad), Queue(["x"], {})

    def whole() -> None:
        with job_rounds.round_of(world.app) as this:
            this.each(queue.due, queue.act)
            this.each(next_.due, next_.act)

    with pytest.raises(ValueError, match="broken"):
        whole()
    assert queue.tried == every
    assert (queue.left, next_.left) == (["a", "b", "stays", "d"], [])
    only_moved = Queue(["b", "g"], {"b": moved})
    with job_rounds.round_of(world.app) as this:  # what somebody else moved is no failure
        this.each(only_moved.due, only_moved.act)
    assert only_moved.left == ["b"]


def test_a_reservation_that_cannot_end_keeps_no_other_from_ending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = world.programme(**NO_EVIDENCE)
    for _ in range(2):
        world.reserve(*world.voucher(plan))
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE redemptions SET authorise_until = now() - interval '1 minute'"))
    with transaction(world.app) as tx:
        broken, _ = store.timed_out(tx, 2)
    release: Callable[..., Any] = jobs.release_reservation

    def fails(tx: Transaction, row: Any, *rest: Any) -> Any:
        if str(row.id) == broken:
            raise RuntimeError("damaged")
        return release(tx, row, *rest)

    monkeypatch.setattr(jobs, "release_reservation", fails)
    with pytest.raises(RuntimeError, match="damaged"):
        jobs.expire_reservations(world.app)
    with transaction(world.app) as tx:
        assert store.timed_out(tx, 2) == [broken]
