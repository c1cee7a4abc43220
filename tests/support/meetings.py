"""Meeting points for threads, so that a race which a control is to show shows on every machine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any

import pytest


class Meeting:
    """Holds the first `count` callers until all of them have come; later ones pass.

    Raises threading.BrokenBarrierError in those who wait when not all come within `patience` seconds.
    """

    def __init__(self, count: int, patience: float = 60) -> None:
        self._barrier = Barrier(count, timeout=patience)
        self._places = iter(range(count))

    def __call__(self) -> None:
        """Comes to the meeting."""
        if next(self._places, None) is not None:
            self._barrier.wait()


class Meanwhile:
    """Lets something else happen once, right after a function of the store has read what it reads.

    `done`: the other had ended before the first went on; `answer`: what came of it.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, store: Any, name: str, other: Callable[[], Any], patience: float
    ) -> None:
        self._read, self._other, self._patience = getattr(store, name), other, patience
        self._pool, self._first = ThreadPoolExecutor(1), iter([True])
        patch.setattr(store, name, self)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        found = self._read(*arguments, **options)
        if next(self._first, False):
            self._future = self._pool.submit(self._other)
            self.done = bool(wait([self._future], self._patience).done)
        return found

    @property
    def answer(self) -> Any:
        """What came of the other; raises what it raised."""
        self._pool.shutdown()
        return self._future.result()
