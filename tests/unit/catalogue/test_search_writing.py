"""One process writes an index at a time, again after it has failed, and the next takes over."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import SimpleQueue

import pytest
from sqlalchemy.exc import OperationalError

from services.catalogue.search import writing
from services.catalogue.search.damage import IndexDamaged
from services.catalogue.search.directory import Directory


class Stop(threading.Event):
    """Says when somebody waits on it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.set()
        return super().wait(timeout)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "RETRY", 0.01)


def test_a_second_one_waits_and_takes_over(tmp_path: Path) -> None:
    where, working = Directory(tmp_path), SimpleQueue[int]()
    stops = Stop(), Stop()

    def work(number: int) -> None:
        working.put(number)
        threading.Event.wait(stops[number], 10)

    threads = [
        threading.Thread(target=writing.alone, args=(where, stop, lambda number=number: work(number)))
        for number, stop in enumerate(stops)
    ]
    threads[0].start()
    assert working.get(timeout=10) == 0
    threads[1].start()
    assert stops[1].waited.wait(10)  # control: whoever is not locked out works, and waits for nothing
    assert working.empty()
    stops[0].set()
    assert working.get(timeout=10) == 1
    stops[1].set()
    for thread in threads:
        thread.join(10)


def test_it_goes_on_after_failures_and_asks_for_a_new_index_after_damage(tmp_path: Path) -> None:
    where, stop, damaged = Directory(tmp_path), threading.Event(), list[bool]()
    failures = [IndexDamaged("torn"), ZeroDivisionError(), OperationalError("", {}, Exception())]

    def work() -> None:
        damaged.append(where.damaged)
        if failures:
            raise failures.pop()
        stop.set()

    writing.alone(where, stop, work)
    assert damaged == [False, False, False, True]
