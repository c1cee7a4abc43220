"""`waymark run` stays as long as its stack does."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest

from services.cli.stack.run import stay


@pytest.fixture
def stack() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as child:
        yield child
        child.kill()


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.timeout(20)
def test_it_ends_with_a_stack_that_is_stopped_elsewhere(stack: subprocess.Popen[bytes]) -> None:
    threading.Timer(0.2, stack.terminate).start()
    stay(stack)
    assert stack.returncode == -signal.SIGTERM


@pytest.mark.timeout(20)
def test_a_signal_ends_the_wait(stack: subprocess.Popen[bytes]) -> None:
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(KeyboardInterrupt):
        stay(stack)
    assert stack.poll() is None
