"""A process that reads a stranger's file takes no more than it may, whatever its task does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from services.platform.confined.running import Limits, made_of

ROOMY = Limits(1 << 28, 1 << 29, 10, 60, 1000)


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return tmp_path / "task.py"


@pytest.mark.parametrize("most", [1000, 999], ids=["control", "too much"])
def test_what_it_writes_is_bounded(task: Path, most: int) -> None:
    task.write_text("import sys\n\ndef main():\n    sys.stdout.write('a' * 1000)\n")
    made = made_of(b"", task, ROOMY._replace(written=most))
    assert made == (b"a" * 1000 if most == 1000 else None)


def test_one_that_never_stops_writing_is_ended_at_once(task: Path) -> None:
    task.write_text("def main():\n    while True:\n        print('a' * 1000)\n")
    began = time.monotonic()
    assert made_of(b"", task, ROOMY._replace(written=10_000_000)) is None
    assert time.monotonic() - began < ROOMY.patience / 2


@pytest.mark.parametrize("after", ["os._exit(0)", "os.close(1); time.sleep(20)"], ids=["child", "silent"])
def test_nobody_waits_for_who_holds_on(task: Path, after: str) -> None:
    """A child of the task that keeps its output open, and a task that goes on with it closed."""
    task.write_text(
        "import os, time\n\ndef main():\n    print('here', flush=True)\n"
        f"    if os.fork():\n        {after}\n    time.sleep(20)\n"
    )
    began = time.monotonic()
    assert made_of(b"", task, ROOMY._replace(patience=1.0)) is None
    assert time.monotonic() - began < 15


def test_control_who_lets_go_is_heard(task: Path) -> None:
    task.write_text("def main(*said):\n    print(said, open(0).read())\n")
    assert made_of(b"given", task, ROOMY, 1, "two") == b"('1', 'two') given\n"
