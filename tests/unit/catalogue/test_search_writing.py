"""One process writes an index at a time, again after it has failed, and the next takes over."""

from __future__ import annotations

import os
import threading
from itertools import cycle
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


class Pauses(threading.Event):
    """Notes how long it is waited for, up to ten times."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.taken.append(timeout)
        if len(self.taken) == 10:
            self.set()
        return self.is_set()


def test_it_waits_longer_after_each_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, failures = Pauses(), cycle([IndexDamaged("torn"), ZeroDivisionError()])

    def work() -> None:
        raise next(failures)

    writing.alone(Directory(tmp_path), stop, work)
    assert stop.taken == [0.01 * 2**number for number in range(10)]
    monkeypatch.setattr(writing, "LONGEST", 0.05)
    monkeypatch.setattr(writing, "CALM", -1.0)  # each has worked long before it fails
    stop = Pauses()
    writing.alone(Directory(tmp_path), stop, work)
    assert stop.taken == [0.01] * 10
    monkeypatch.setattr(writing, "CALM", 600.0)
    stop = Pauses()
    writing.alone(Directory(tmp_path), stop, work)
    assert stop.taken == [0.01, 0.02, 0.04, *[0.05] * 7]


def test_what_could_not_be_built_leaves_nothing(tmp_path: Path) -> None:
    where = Directory(tmp_path)
    killed = tmp_path / f"{where.design.revision}-killed"
    killed.mkdir()
    os.utime(killed, (0, 0))

    def build(*, fails: bool) -> Path:
        with where.building() as folder:
            (folder / "segment").write_bytes(b"x" * 1000)
            if fails:
                raise ValueError("No space left on device")
            where.switch(folder)
        return folder

    with pytest.raises(ValueError, match="No space"):
        build(fails=True)
    assert list(tmp_path.glob("[0-9]*-*")) == []  # nor is that of a process that was killed
    made = build(fails=False)
    with pytest.raises(ValueError, match="No space"):
        build(fails=True)
    assert list(tmp_path.glob("[0-9]*-*")) == [made]  # control: what is in use stays
    assert where.current() == made


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
