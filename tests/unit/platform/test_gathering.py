"""Calls that share a thread: they join, step aside, wait without holding the others up, and end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest
from greenlet import getcurrent, greenlet

from services.platform.gathering import Gathering, PatientCondition, aside, join
from services.platform.rpc.handlers import mark
from services.platform.rpc.pool import Gathered, Load, Workers, processors

NAME = ContextVar("name", default="")


class Rounds:
    """A gathering that notes what each round served, and on which thread."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.served: list[list[object]] = []
        self.threads: set[str] = set()
        self.gathering: Gathering[object] = Gathering(self._serve, pool.submit)

    def _serve(self, works: list[object]) -> None:
        self.served.append(works)
        self.threads.add(threading.current_thread().name)

    def together(self, *calls: Any) -> list[Future[Any]]:
        """Has the calls arrive at one moment."""
        held = threading.Event()
        self.gathering.submit(held.wait, 30)
        futures = [self.gathering.submit(call) for call in calls]
        held.set()
        return futures


@pytest.fixture
def rounds() -> Iterator[Rounds]:
    with ThreadPoolExecutor(2, thread_name_prefix="lent") as pool:
        made = Rounds(pool)
        yield made
        made.gathering.shutdown()


def test_those_who_arrive_together_are_served_together(rounds: Rounds) -> None:
    ended = rounds.together(*(lambda number=number: join(number) and number for number in (1, 2, 3)))
    assert [each.result(30) for each in ended] == [1, 2, 3]
    assert rounds.served == [[1, 2, 3]]
    assert rounds.threads == {"gathering"}


def test_a_call_may_join_again(rounds: Rounds) -> None:
    def twice() -> None:
        join("first")
        join("second")

    for each in rounds.together(twice, twice):
        each.result(30)
    assert rounds.served == [["first", "first"], ["second", "second"]]


def test_outside_a_gathering_nothing_is_joined_and_nothing_moves() -> None:
    assert not join("alone")
    assert aside(threading.current_thread) is threading.current_thread()


def test_what_a_call_does_aside_runs_elsewhere_and_holds_nobody_up(rounds: Rounds) -> None:
    release = threading.Event()

    def slow() -> str:
        aside(lambda: release.wait(30))
        return aside(lambda: threading.current_thread().name)

    first, second = rounds.together(slow, lambda: join("quick"))
    second.result(30)
    assert not first.done()
    release.set()
    assert first.result(30).startswith("lent")


def test_control_what_waits_without_stepping_aside_holds_all_up(rounds: Rounds) -> None:
    release = threading.Event()
    _, second = rounds.together(lambda: release.wait(30), lambda: join("quick"))
    with pytest.raises(TimeoutError):
        second.result(0.2)
    release.set()
    second.result(30)


def test_an_error_reaches_the_one_who_raised_it(rounds: Rounds) -> None:
    def fail() -> None:
        join("me too")
        aside(lambda: {}["missing"])

    failed, fine = rounds.together(fail, lambda: join("me"))
    with pytest.raises(KeyError, match="missing"):
        failed.result(30)
    assert fine.result(30)


def test_each_call_keeps_its_own_context(rounds: Rounds) -> None:
    def named(name: str) -> tuple[str, str]:
        NAME.set(name)
        join(name)
        return NAME.get(), aside(NAME.get)

    first, second = rounds.together(lambda: named("anne"), lambda: named("ben"))
    assert (first.result(30), second.result(30)) == (("anne", "anne"), ("ben", "ben"))


def waiting_on(rounds: Rounds, condition: threading.Condition) -> tuple[Future[Any], Future[Any]]:
    def wait() -> str:
        with condition:
            condition.wait()
        return "told"

    first, second = rounds.together(wait, lambda: join("quick"))
    return first, second


def tell(condition: threading.Condition) -> None:
    with condition:
        condition.notify_all()


def test_one_who_waits_on_a_patient_condition_holds_nobody_up(rounds: Rounds) -> None:
    condition = PatientCondition(rounds.gathering)
    waiting, quick = waiting_on(rounds, condition)
    quick.result(30)
    assert not waiting.done()
    tell(condition)
    assert waiting.result(30) == "told"


def test_control_on_any_other_condition_all_wait(rounds: Rounds) -> None:
    condition = threading.Condition()
    _, quick = waiting_on(rounds, condition)
    with pytest.raises(TimeoutError):
        quick.result(0.2)
    tell(condition)
    quick.result(30)


def test_a_round_waits_a_moment_for_those_on_their_way(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.platform.gathering.MOMENT", 20)
    condition = PatientCondition(rounds.gathering)

    def arrive() -> None:
        with condition:
            condition.wait()
        join("late")

    late, early = rounds.together(arrive, lambda: join("early"))
    time.sleep(0.05)
    tell(condition)
    late.result(30), early.result(30)
    assert rounds.served == [["early", "late"]]


def test_on_other_threads_a_patient_condition_is_a_condition(rounds: Rounds) -> None:
    condition = PatientCondition(rounds.gathering)
    with condition:
        assert not condition.wait(0.01)


def test_it_ends_after_those_who_have_arrived() -> None:
    with ThreadPoolExecutor(1) as pool:
        gathering: Gathering[object] = Gathering(lambda _: None, pool.submit)
        last = gathering.submit(lambda: join("last"))
        gathering.shutdown()
        assert last.result(0)


@pytest.mark.parametrize(("processes", "taken"), [(processors(), True), (processors() - 1, False)])
def test_what_computes_shares_a_thread_where_each_process_has_a_processor(
    processes: int, taken: bool
) -> None:
    def compute() -> None: ...

    def other() -> None: ...

    load = Load(1)
    workers = Workers(1, load)
    gathered = Gathered(lambda _: None, workers, load, processes=processes)
    assert gathered.takes(mark(compute, computes=True)) is taken
    assert not gathered.takes(mark(other))
    gathered.shutdown()
    workers.shutdown()


def test_calls_take_turns_on_as_many_stacks_as_there_are_at_a_time(rounds: Rounds) -> None:
    one_by_one = {rounds.gathering.submit(getcurrent).result(30) for _ in range(5)}
    assert len(one_by_one) == 1

    def beside_others() -> greenlet:
        join("me")
        return getcurrent()

    together = {each.result(30) for each in rounds.together(*[beside_others] * 3)}
    assert len(together) == 3
    assert one_by_one < together
    rounds.gathering.shutdown()
    assert all(each.dead for each in together)
