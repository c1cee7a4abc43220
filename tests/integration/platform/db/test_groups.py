"""Writes that share a transaction: each ends as it would have ended alone."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from waymark.errors.v1 import reason_pb2

from services.platform.db import groups as module
from services.platform.db import requests
from services.platform.db.groups import Groups, Work
from services.platform.db.schema import request_ids
from services.platform.db.transaction import Transaction, transaction
from services.platform.db.wire import locking, named
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from tests.support.events import effects, eventually, probe_event

PROBE = probe_event("dbprobe")
ANNE = Principal("anne", frozenset())
LOCK = locking("lock_effect", "SELECT key, n FROM effects WHERE key = :key FOR NO KEY UPDATE", keys=("key",))
SET = named("set_effect", "UPDATE effects SET n = :n WHERE key = :key")
BREAK = named("break_effect", "UPDATE effects SET n = CAST(:n AS bigint) / 0 WHERE key = :key")


@dataclass
class Desk:
    """Takes writes of many threads. `group` lets several wait for one leader, so that the next leads all."""

    engine: sa.Engine
    groups: Groups
    pool: ThreadPoolExecutor

    def write(
        self,
        share: Callable[[Transaction], Any],
        key: str = "a",
        request_id: str = "",
        remaining: float = 60,
    ) -> Any:
        claiming = requests.claiming(
            bytes(32), ANNE, "Probe", request_id or str(uuid.uuid4()), PROBE(key=key, n=1)
        )
        locks = [LOCK(key=key)]

        def alone() -> Any:
            with transaction(self.engine, ANNE, opening=claiming.call, ahead=locks) as tx:
                return once(tx)

        def once(tx: Transaction) -> Any:
            claim = claiming.claimed(tx.opening)
            if not claim.fresh:
                return claim.answer
            found = share(tx)
            tx.at_commit(claiming.store(b"done"))
            return found

        return self.groups.run(Work(ANNE, claiming, locks, remaining, once), alone)

    @contextmanager
    def led(self) -> Iterator[None]:
        """A leader is at work for as long as the body runs; whoever comes meanwhile stands in line."""
        held = threading.Event()

        def hold(_: Transaction) -> None:
            assert held.wait(60)

        leader = self.pool.submit(self.write, hold, "leader")
        eventually(lambda: self.groups._led)
        try:
            yield
        finally:
            held.set()
            leader.result()

    def group(self, *writes: Callable[[], Any]) -> list[Future[Any]]:
        """Runs the writes in one group, in this order."""
        waiting = []
        with self.led():
            for number, write in enumerate(writes, 1):
                waiting.append(self.pool.submit(write))
                eventually(lambda number=number: len(self.groups._waiting) == number)
        return waiting


@pytest.fixture
def desk(platform) -> Iterator[Desk]:
    with platform.engine.begin() as connection:
        for key in ("leader", "a", "b", "c", "d", "e"):
            connection.execute(sa.insert(effects).values(key=key, n=0, sent=sa.func.now()))
    with ThreadPoolExecutor(8) as pool:
        yield Desk(platform.engine, Groups(platform.engine), pool)


def number(desk: Desk, key: str = "a") -> int:
    with desk.engine.begin() as connection:
        return connection.execute(sa.select(effects.c.n).where(effects.c.key == key)).scalar_one()


def claims(desk: Desk) -> int:
    with desk.engine.begin() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(request_ids)).scalar_one()


def count_up(key: str = "a") -> Callable[[Transaction], datetime]:
    def share(tx: Transaction) -> datetime:
        row = tx.rows(LOCK(key=key))[0]
        tx.at_commit(SET(n=row.n + 1, key=key))
        return tx.now

    return share


def test_those_who_wait_share_one_transaction(desk):
    keys = ("a", "b", "c", "d", "e")
    ended = desk.group(*(lambda key=key: desk.write(count_up(key), key) for key in keys))
    assert len({each.result() for each in ended}) == 1  # the clock of one transaction
    assert [number(desk, key) for key in keys] == [1] * 5


def test_each_sees_what_the_one_before_wrote_to_the_same_row(desk):
    for each in desk.group(*[lambda: desk.write(count_up())] * 5):
        each.result()
    assert number(desk) == 5


def test_control_without_reading_again_updates_are_lost(desk, monkeypatch):
    monkeypatch.setattr(module._Group, "_keys", lambda *_: set())
    for each in desk.group(*[lambda: desk.write(count_up())] * 5):
        each.result()
    assert number(desk) < 5


def write_then_refuse(tx: Transaction) -> None:
    tx.execute(sa.update(effects).where(effects.c.key == "b").values(n=99))
    tx.at_commit(SET(n=99, key="b"))
    raise Refusal(reason_pb2.REASON_WRONG_STATE)


def refused_among_others(desk: Desk) -> None:
    first, refused, last = desk.group(
        lambda: desk.write(count_up()),
        lambda: desk.write(write_then_refuse, "b"),
        lambda: desk.write(count_up("c"), "c"),
    )
    with pytest.raises(Refusal) as refusal:
        refused.result()
    assert refusal.value.reason == reason_pb2.REASON_WRONG_STATE
    assert first.result() == last.result()
    assert number(desk) == number(desk, "c") == 1


def test_one_that_is_refused_leaves_nothing_behind_and_the_others_go_on(desk):
    refused_among_others(desk)
    assert number(desk, "b") == 0
    assert claims(desk) == 3  # the leader's and those of the two that were done


def test_control_without_taking_back_the_refused_write_stays(desk, monkeypatch):
    monkeypatch.setattr(module._Shared, "undo", lambda _: None)
    refused_among_others(desk)
    assert number(desk, "b") == 99


def test_when_the_database_fails_one_the_others_are_done_all_the_same(desk):
    first, broken, last = desk.group(
        lambda: desk.write(count_up()),
        lambda: desk.write(lambda tx: tx.at_commit(BREAK(n=1, key="b")), "b"),
        lambda: desk.write(count_up("c"), "c"),
    )
    with pytest.raises(DBAPIError, match="division by zero"):
        broken.result()
    first.result(), last.result()
    assert (number(desk), number(desk, "b"), number(desk, "c")) == (1, 0, 1)


def test_nobody_waits_for_a_row_that_somebody_else_holds_but_who_wants_it(desk):
    with transaction(desk.engine) as holder:
        holder.execute(sa.select(effects).where(effects.c.key == "b").with_for_update())
        first, busy, last = desk.group(
            lambda: desk.write(count_up()),
            lambda: desk.write(count_up("b"), "b"),
            lambda: desk.write(count_up("c"), "c"),
        )
        assert first.result(60) == last.result(60)
        assert not busy.done()
    busy.result(60)
    assert number(desk, "b") == 1


def test_one_that_gives_up_waiting_does_not_take_the_turn_with_it(desk):
    with desk.led():
        late = desk.pool.submit(desk.write, count_up(), remaining=0.1)
        with pytest.raises(Refusal) as refusal:
            late.result(60)
        following = desk.pool.submit(desk.write, count_up("b"), "b")
        eventually(lambda: len(desk.groups._waiting) == 1)
    assert refusal.value.reason == reason_pb2.REASON_DEADLINE_EXCEEDED
    following.result(60)
    desk.write(count_up("c"), "c")
    assert (number(desk), number(desk, "b"), number(desk, "c")) == (0, 1, 1)


def test_twins_have_one_effect_and_one_answer(desk):
    twin = str(uuid.uuid4())
    first, second = desk.group(*[lambda: desk.write(count_up(), request_id=twin)] * 2)
    assert isinstance(first.result(), datetime)
    assert second.result() == b"done"
    assert number(desk) == 1
