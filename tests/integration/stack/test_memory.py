"""The look into a process's memory, by which other tests know what secrets it has: it never finds nothing for
want of looking."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.stack import process
from services.cli.stack.process import Command
from tests.support.memory import holds
from tests.support.parts import CHECKOUT

KNOWS = "import sys; word = sys.stdin.readline(); print('it knows', flush=True); sys.stdin.readline()"
LOOKS = """
import sys
from tests.support.memory import holds
try:
    print(holds(int(sys.argv[1]), b"word"))
except BaseException as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def knowing() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has been told a word."""
    with subprocess.Popen(
        [sys.executable, "-c", KNOWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.write(b"a word of its own\n")
        started.stdin.flush()
        started.stdout.readline()
        yield started
        started.kill()


def test_a_word_that_it_was_told_is_found_and_no_other(knowing: subprocess.Popen[bytes]) -> None:
    assert holds(knowing.pid, b"a word of its own")
    assert not holds(knowing.pid, b"a word of another's")


def test_nothing_is_said_of_one_that_has_ended(knowing: subprocess.Popen[bytes]) -> None:
    knowing.kill()
    os.waitid(os.P_PID, knowing.pid, os.WEXITED | os.WNOWAIT)
    for wait in (lambda: None, knowing.wait):
        wait()
        with pytest.raises(OSError, match=f"/proc/{knowing.pid}"):
            holds(knowing.pid, b"a word of another's")


@pytest.mark.parametrize(("ci", "ends"), [("", "Skipped"), ("true", "Failed")])
def test_who_may_not_look_ends_the_test(tmp_path: Path, ci: str, ends: str) -> None:
    """An ordinary user at a process of root's."""
    user, whose = ("nobody", os.getpid()) if os.geteuid() == 0 else ("", 1)
    told = {"PYTHONPATH": str(CHECKOUT), "CI": ci}
    log = tmp_path / "log"
    process.run_once(Command([sys.executable, "-c", LOOKS, str(whose)], told, user=user), log)
    assert log.read_text().startswith(f"{ends} This user may not read")
