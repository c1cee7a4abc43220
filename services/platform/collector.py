"""Python's garbage collector in a process that works for long."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Work in flight keeps thousands of objects that a collection would look at in vain.
COLLECTED = (20_000, 20, 20)
NEVER = 1_000_000_000
_UNVISITED: list[tuple[int, int, int]] = []  # thresholds before, for each piece of work under way
_changing = threading.Lock()


def settle_collector() -> None:
    """Call it when all is loaded: what there is by now stays for good and is not looked at again, and what
    comes is looked at less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)


@contextmanager
def unvisited() -> Iterator[None]:
    """Puts full collections off during a piece of work that reads much, of which a taxonomy alone is most of
    a million objects; cycles that it lets go meanwhile are collected as ever while they are young."""
    with _changing:
        _UNVISITED.append(_UNVISITED[0] if _UNVISITED else gc.get_threshold())
        gc.set_threshold(*_UNVISITED[0][:2], NEVER)
    try:
        yield
    finally:
        with _changing:
            before = _UNVISITED.pop()
            if not _UNVISITED:
                gc.set_threshold(*before)
