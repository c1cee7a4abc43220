"""When the garbage collector looks at everything."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from services.platform import collector


class Cycle:
    """Something that only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def eager() -> Iterator[None]:
    """A collector that looks at everything again and again: at all that comes from here on, because how often
    it does depends on how much there is."""
    before = gc.get_threshold()
    gc.freeze()
    gc.collect()
    gc.set_threshold(50, 1, 1)
    yield
    gc.set_threshold(*before)


def full_collections() -> int:
    """Makes much that stays; returns how often everything was looked at meanwhile."""
    before = gc.get_stats()[2]["collections"]
    kept = [[[]] for _ in range(100_000)]
    del kept
    return int(gc.get_stats()[2]["collections"]) - before


def test_everything_is_not_looked_at_during_a_piece_of_work(eager: None) -> None:
    with collector.unvisited():
        assert full_collections() == 0
    assert gc.get_threshold() == (50, 1, 1)


def test_control_without_it_everything_is_looked_at(eager: None) -> None:
    assert full_collections() > 0


def test_two_pieces_at_once_leave_it_as_it_was(eager: None) -> None:
    first, second = collector.unvisited(), collector.unvisited()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[2] == collector.NEVER
    second.__exit__(None, None, None)
    assert gc.get_threshold() == (50, 1, 1)


def test_young_cycles_are_freed_meanwhile(eager: None) -> None:
    with collector.unvisited():
        before = sum(stats["collected"] for stats in gc.get_stats())
        for _ in range(10_000):
            Cycle()
        assert sum(stats["collected"] for stats in gc.get_stats()) - before > 5_000
