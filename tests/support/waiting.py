"""Waiting for what others do in their own time: a job, a consumer, another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE = 0.05  # seconds between two looks


def eventually(check: Callable[[], T], seconds: float = 120, what: str | Callable[[], object] = "") -> T:
    """Waits until `check` gives something true, and returns it; fails the test after `seconds` and says
    `what`."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, (what() if callable(what) else what) or check
        time.sleep(PAUSE)
    return found
