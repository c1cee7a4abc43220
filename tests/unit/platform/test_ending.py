"""A process ends when it is told to, whatever it does at that moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What `Event.wait` does just before it waits, and the signal in that very moment.
IN_THE_MIDST = """
import os, signal, threading, time
from services.platform.ending import set_by_signals
stop = threading.Event()
{prepare}
with stop._cond:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)
assert stop.wait(20)
print("ended")
"""


def run(prepare: str, seconds: float) -> str:
    code = IN_THE_MIDST.format(prepare=prepare)
    done = subprocess.run(
        [sys.executable, "-c", code], timeout=seconds, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_a_signal_at_the_moment_of_waiting_is_heard() -> None:
    assert run("set_by_signals(stop)", 60) == "ended\n"


def test_control_a_handler_that_sets_the_event_waits_for_ever() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run("signal.signal(signal.SIGTERM, lambda *_: stop.set())", 3)
