"""A meeting point for threads, so that a race which a control is to show shows on every machine."""

from __future__ import annotations

from threading import Barrier


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
