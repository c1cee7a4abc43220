"""How long a call that has to queue would wait, by how long calls take lately."""

from __future__ import annotations

import time
from threading import Event

import pytest

from services.platform.rpc import pool
from services.platform.rpc.pool import PATIENCE, Load, Workers

STREAM = 0.5  # seconds of the stream: twenty times as long as it counts


def expected_after_a_stream() -> float:
    """Returns what a call would have to wait behind another when all that ran before was a stream."""
    workers, gate = Workers(1, Load(3)), Event()
    workers.submit(time.sleep, STREAM).result()
    assert workers.expected == 0  # nobody waits
    running = workers.submit(gate.wait)
    waiting = workers.submit(time.sleep, 0)
    found = workers.expected
    gate.set()
    running.result()
    waiting.result()
    workers.shutdown()
    return found


def test_a_long_stream_says_little_about_the_calls_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "LATELY", 1.0)  # as after many streams
    monkeypatch.setattr(pool, "LONGEST", STREAM / 20)
    assert 0 < expected_after_a_stream() < PATIENCE
    monkeypatch.setattr(pool, "LONGEST", 3600)  # control
    assert expected_after_a_stream() > PATIENCE
