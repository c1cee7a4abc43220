"""Writes that share a transaction: each ends as it would have ended alone."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from waymark.errors.v1 import reason_pb2

from services.platform.db import groups as module
from services.platform.db import requests
from services.platform.db.groups import Groups, Work, run
from services.platform.db.schema import request_ids
from services.platform.db.transaction import Transaction, transaction
from services.platform.db.wire import Prepared, locking, named
from services.platform.errors import Refusal
from services.platform.gathering import Gathering
from services.platform.identity.principals import Principal
from tests.support.events import effects, probe_event

PROBE = probe_event("dbprobe")
ANNE = Principal("anne", frozenset())
LOCK = locking("lock_effect", "SELECT key, n FROM effects WHERE key = :key FOR NO KEY UPDATE", keys=("key",))
SET = named("set_effect", "UPDATE effects SET n = :n WHERE key = :key")
BREAK = named("break_effect", "UPDATE effects SET n = CAST(:n AS bigint) / 0 WHERE key = :key")


class Desk:
    """Takes writes. `group` has several wait, so that the next round takes all of them."""

    def __init__(self, engine: sa.Engine, pool: ThreadPoolExecutor) -> None:
        self.engine = engine
        self.gathering = Gathering(Groups(engine).serve, pool.submit)

    def write(
        self,
        share: Callable[[Transaction], Any],
        key: str = "a",
        request_id: str = "",
        deadline: float = float("inf"),
    ) -> Any:
        claiming = requests.claiming(
            bytes(32), ANNE, "Probe", request_id or str(uuid.uuid4()), PROBE(key=key, n=1)
        )
        locks = [LOCK(key=key)]

        def alone() -> Any:
            claim = requests.claim([claiming])
            with transaction(self.engine, ANNE, opening=claim, ahead=locks) as tx:
                return once(tx)

        def once(tx: Transaction) -> Any:
            claim = claiming.claimed(tx.opening)
            if not claim.fresh:
                return claim.answer
            found = share(tx)
            tx.keep_answer(claiming, b"done")
            return found

        return run(Work(ANNE, claiming, locks, min(deadline, time.monotonic() + 60), once), alone)

    def group(self, *writes: Callable[[], Any], after: float = 0) -> list[Future[Any]]:
        """Has the writes join one round, in this order; it begins `after` seconds."""
        held = threading.Event()
        self.gathering.submit(held.wait, 60)  # holds up the thread itself
        waiting = [self.gathering.submit(write) for write in writes]
        time.sleep(after)
        held.set()
        wait(waiting, 60)
        return waiting


@pytest.fixture
def desk(platform) -> Iterator[Desk]:
    with platform.engine.begin() as connection:
        for key in ("a", "b", "c", "d", "e"):
            connection.execute(sa.insert(effects).values(key=key, n=0, sent=sa.func.now()))
    with ThreadPoolExecutor(8) as pool:
        desk = Desk(platform.engine, pool)
        yield desk
        desk.gathering.shutdown()


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
    assert claims(desk) == 2  # of the two that were done


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


def with_a_row_held(desk: Desk) -> list[datetime]:
    """Returns when each of three began, the second of which wants a row that is held for half a second."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction(desk.engine) as holder:
            holder.execute(sa.select(effects).where(effects.c.key == "b").with_for_update())
            held.set()
            release.wait(60)

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait(60)
    threading.Timer(0.5, release.set).start()
    began = [
        each.result() for each in desk.group(*(partial(desk.write, count_up(key), key) for key in "abc"))
    ]
    holding.join()
    assert [number(desk, key) for key in "abc"] == [1, 1, 1]
    return began


def test_a_defect_in_a_group_ends_neither_the_thread_nor_a_call(desk, monkeypatch):
    def broken(_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(module._Group, "run", broken)
        for each in desk.group(*(partial(desk.write, count_up(key), key) for key in "ab")):
            each.result()
    desk.gathering.submit(partial(desk.write, count_up("c"), "c")).result(60)
    assert [number(desk, key) for key in "abc"] == [1, 1, 1]


def test_nobody_waits_for_a_row_that_somebody_else_holds_but_who_wants_it(desk):
    first, busy, last = with_a_row_held(desk)
    assert first == last != busy


def test_control_with_locks_that_wait_the_group_fails(desk, monkeypatch):
    monkeypatch.setattr(module, "_free", lambda lock: lock.prepared)
    assert len(set(with_a_row_held(desk))) == 3


def test_one_whose_turn_comes_too_late_is_not_begun(desk):
    soon = time.monotonic() + 0.1
    late, following = desk.group(
        lambda: desk.write(count_up(), deadline=soon), lambda: desk.write(count_up("b"), "b"), after=0.3
    )
    with pytest.raises(Refusal) as refusal:
        late.result()
    assert refusal.value.reason == reason_pb2.REASON_DEADLINE_EXCEEDED
    following.result()
    assert (number(desk), number(desk, "b")) == (0, 1)


def test_control_without_looking_at_the_deadline_it_is_done(desk, monkeypatch):
    monkeypatch.setattr(module, "_late", lambda _: False)
    soon = time.monotonic() + 0.1
    late, _ = desk.group(
        lambda: desk.write(count_up(), deadline=soon), lambda: desk.write(count_up("b"), "b"), after=0.3
    )
    late.result()
    assert number(desk) == 1


def sizes(desk: Desk, monkeypatch) -> list[int]:
    """Returns how large the groups are that five writes make."""
    seen = []
    observe = module.metrics.GROUP_SIZE.observe
    monkeypatch.setattr(module.metrics.GROUP_SIZE, "observe", lambda size: (seen.append(size), observe(size)))
    for each in desk.group(*(lambda key=key: desk.write(count_up(key), key) for key in "abcde")):
        each.result()
    return seen


def test_a_group_is_no_larger_than_it_may_be(desk, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 2)
    assert sizes(desk, monkeypatch) == [2, 2, 1]


def test_control_with_room_for_all_they_are_one_group(desk, monkeypatch):
    assert sizes(desk, monkeypatch) == [5]


def test_twins_have_one_effect_and_one_answer(desk):
    twin = str(uuid.uuid4())
    first, second = desk.group(*[lambda: desk.write(count_up(), request_id=twin)] * 2)
    assert isinstance(first.result(), datetime)
    assert second.result() == b"done"
    assert number(desk) == 1


def test_control_twins_in_one_group_fail_it(desk, monkeypatch):
    monkeypatch.setattr(module, "_split", lambda works: [works])
    twin = str(uuid.uuid4())
    failed = []
    real = module._Group.run

    def watched(group: Any) -> None:
        try:
            real(group)
        except DBAPIError as error:
            failed.append(error)
            raise

    monkeypatch.setattr(module._Group, "run", watched)
    for each in desk.group(*[lambda: desk.write(count_up(), request_id=twin)] * 2):
        each.result()
    assert failed  # one statement cannot claim the same id twice
    assert number(desk) == 1  # alone they are told apart all the same


def twin_under_way(desk: Desk) -> float:
    """Returns the seconds that a write takes beside one whose twin is under way elsewhere for a second."""
    twin = str(uuid.uuid4())
    claiming = requests.claiming(bytes(32), ANNE, "Probe", twin, PROBE(key="a", n=1))
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction(desk.engine, ANNE, opening=requests.claim([claiming])) as tx:
            held.set()
            release.wait(60)
            tx.keep_answer(claiming, b"done")

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait(60)
    threading.Timer(1, release.set).start()
    took = []

    def other() -> None:
        started = time.monotonic()
        desk.write(count_up("b"), "b")
        took.append(time.monotonic() - started)

    same, _ = desk.group(lambda: desk.write(count_up(), request_id=twin), other)
    assert same.result() == b"done"
    holding.join()
    return took[0]


def test_a_twin_under_way_elsewhere_holds_a_group_up_for_a_moment_only(desk):
    assert twin_under_way(desk) < 0.6


def test_control_with_more_patience_it_holds_up_all(desk, monkeypatch):
    patient = Prepared("patient", "SELECT set_config('lock_timeout', '30s', true)")()
    monkeypatch.setattr(module, "_PATIENCE", patient)
    assert twin_under_way(desk) > 0.6
