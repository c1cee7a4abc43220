"""Waiting for a stack: what an earlier run left behind says nothing about the one just started."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from services.cli.exits import Failure
from services.cli.stack import commands, control
from services.cli.stack.holding import holding
from services.cli.stack.state import PartState, StackState, write_state

BROKEN = PartState("setup", "restarting", restarts=control.GIVE_UP_RESTARTS, reason="no answer")


@pytest.fixture
def supervisor() -> Iterator[subprocess.Popen[bytes]]:
    sleeping = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield sleeping
    sleeping.kill()
    sleeping.wait()


def of(pid: int, part: PartState, *, ready: bool = False) -> StackState:
    return StackState(pid, 0.0, "edge", "issuer", "kafka", 8080, ready, {part.name: part})


def test_an_earlier_runs_troubles_do_not_end_the_wait(
    tmp_path: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    write_state(tmp_path, of(supervisor.pid + 1, BROKEN))
    new = of(supervisor.pid, replace(BROKEN, state="done", restarts=0), ready=True)
    later = threading.Timer(0.5, write_state, (tmp_path, new))
    later.start()
    assert control.wait_ready(tmp_path, supervisor, lambda _: None).ready
    later.join()


def test_a_consumer_that_waits_for_a_person_does_not_keep_the_stack_from_coming_up(
    tmp_path: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    halted = of(supervisor.pid, replace(BROKEN, state="halted"))
    write_state(tmp_path, halted)
    assert control.wait_ready(tmp_path, supervisor, lambda _: None) == halted


def test_control_its_own_troubles_do(tmp_path: Path, supervisor: subprocess.Popen[bytes]) -> None:
    write_state(tmp_path, of(supervisor.pid, BROKEN))
    with pytest.raises(Failure, match="not ready"):
        control.wait_ready(tmp_path, supervisor, lambda _: None)


def test_who_was_slower_waits_for_the_stack_of_who_was_faster(
    tmp_path: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    """Two ups at the same moment: the second one's supervisor ends, for the home has another holder."""
    slower = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
    slower.wait()
    started = psutil.Process(supervisor.pid).create_time()
    faster = replace(of(supervisor.pid, replace(BROKEN, restarts=0)), started=started)
    write_state(tmp_path, faster)
    with holding(tmp_path):
        later = threading.Timer(0.5, write_state, (tmp_path, replace(faster, ready=True)))
        later.start()
        assert control.wait_ready(tmp_path, slower, lambda _: None).pid == supervisor.pid
        later.join()


def test_a_second_up_waits_until_the_stack_that_is_starting_is_ready(
    tmp_path: Path, supervisor: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    started = psutil.Process(supervisor.pid).create_time()
    starting = replace(of(supervisor.pid, replace(BROKEN, restarts=0)), started=started)
    write_state(tmp_path, starting)
    with holding(tmp_path):
        later = threading.Timer(0.5, write_state, (tmp_path, replace(starting, ready=True)))
        later.start()
        commands.up_detached(tmp_path, None)
        later.join()
    assert capsys.readouterr().out == "Waymark is ready at edge\n"


def test_a_second_up_says_what_is_wrong_with_the_stack_and_leaves_it_running(
    tmp_path: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    started = psutil.Process(supervisor.pid).create_time()
    write_state(tmp_path, replace(of(supervisor.pid, BROKEN), started=started))
    with holding(tmp_path), pytest.raises(Failure, match="setup: restarting no answer") as failure:
        commands.up_detached(tmp_path, None)
    assert "stopped" not in failure.value.remedy
    assert supervisor.poll() is None


def test_control_who_ended_where_nobody_holds_the_home_did_not_start(
    tmp_path: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    slower = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
    slower.wait()
    started = psutil.Process(supervisor.pid).create_time()
    write_state(tmp_path, replace(of(supervisor.pid, replace(BROKEN, restarts=0)), started=started))
    with holding(tmp_path):
        pass
    with pytest.raises(Failure, match="did not start"):
        control.wait_ready(tmp_path, slower, lambda _: None)


def test_a_supervisor_that_has_not_said_its_state_is_stopped_too(
    tmp_path: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    control.stop_started(tmp_path, supervisor)
    assert supervisor.poll() is not None
