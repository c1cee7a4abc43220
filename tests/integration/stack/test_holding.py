"""Who holds a home of a stack, and what nobody else may do there meanwhile."""

from __future__ import annotations

import asyncio
import errno
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.exits import ExitCode, Failure
from services.cli.stack import control, supervisor
from services.cli.stack import holding as holds
from services.cli.stack.holding import held, holding, require_room
from services.cli.stack.leftovers import MARK, end_left_overs
from services.cli.stack.plan import Plan
from services.cli.stack.state import StackState, find_state, write_state

HOLD = (
    "import sys, time; from pathlib import Path; from services.cli.stack.holding import holding\n"
    "with holding(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the home and has not said its state yet, as a supervisor that only begins."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "held\n"
        yield running
        running.kill()


@pytest.fixture
def part(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with the mark of the home's stack."""
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command, env={MARK: str(tmp_path)}) as running:
        yield running
        running.kill()


def test_a_home_has_one_holder_and_is_free_when_that_one_is_killed(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(Failure, match="already runs"), holding(tmp_path):
        pass
    assert held(tmp_path)
    holder.kill()
    holder.wait()
    with holding(tmp_path):
        pass
    assert not held(tmp_path)


def test_a_start_that_fails_lets_the_parts_of_the_one_before_it_be(
    tmp_path: Path, holder: subprocess.Popen[str], part: subprocess.Popen[bytes]
) -> None:
    late = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
    control.stop_started(tmp_path, late)
    assert part.poll() is None


def test_control_nothing_but_the_holder_protects_them(
    tmp_path: Path, holder: subprocess.Popen[str], part: subprocess.Popen[bytes]
) -> None:
    assert end_left_overs(tmp_path) == 1
    part.wait(10)


def test_what_nobody_holds_is_ended(tmp_path: Path, part: subprocess.Popen[bytes]) -> None:
    with holding(tmp_path):
        pass
    assert control.stop(tmp_path)
    part.wait(10)


def test_a_stack_that_only_begins_is_waited_for(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    import psutil

    started = psutil.Process(holder.pid).create_time()
    state = StackState(holder.pid, started, "edge", "issuer", "kafka", 8080)
    later = threading.Timer(0.5, write_state, (tmp_path, state))
    later.start()
    assert control.stop(tmp_path)
    holder.wait(10)
    later.join()


def test_nothing_is_deleted_where_a_stack_begins(
    tmp_path: Path, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "BEGIN_SECONDS", 0.2)
    (tmp_path / "postgres").mkdir()
    with pytest.raises(Failure, match="already runs"):
        control.reset(tmp_path)
    assert (tmp_path / "postgres").exists()


def test_a_folder_that_never_was_a_home_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "of something else").touch()
    assert not control.reset(tmp_path)
    assert (tmp_path / "logs" / "of something else").exists()


def test_control_a_home_loses_its_logs(tmp_path: Path) -> None:
    with holding(tmp_path):
        pass
    assert control.reset(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a file", "a file/below", "/proc/nobody can write here"])
def test_a_home_that_cannot_be_says_why_and_what_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()
    for start in (control.start_detached, control.start_attached):
        with pytest.raises(Failure, match="cannot be the home of a stack") as refused:
            start(tmp_path / name, None)
        assert refused.value.code == ExitCode.OTHER
        assert "--home" in refused.value.remedy
    with pytest.raises(Failure, match="cannot be the home of a stack"), holding(tmp_path / name):
        pass


def test_the_log_of_a_supervisor_that_runs_is_not_emptied_by_another_start(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    log = tmp_path / "logs" / "supervisor.log"
    log.write_text("said\n")
    assert control.begin_log(tmp_path) == log
    assert log.read_text() == "said\n"
    holder.kill()
    holder.wait()
    control.begin_log(tmp_path)
    assert log.read_text() == ""


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_room(tmp_path)
    monkeypatch.setattr(holds, "ROOM", shutil.disk_usage(tmp_path).total + 1)
    with pytest.raises(Failure, match=r"has \d+ MiB left"):
        require_room(tmp_path)


def test_a_supervisor_that_cannot_tell_its_state_goes_on_and_tells_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STATE_SECONDS", 0.05)
    told = []

    def watch(state: StackState) -> None:
        told.append(state)
        if len(told) < 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    async def scenario() -> None:
        running = supervisor.Supervisor(Plan(tmp_path, 8080, {}), watch)
        running._changed()
        async with asyncio.timeout(20):
            while len(told) < 3:
                await asyncio.sleep(0.02)

    asyncio.run(scenario())
    assert find_state(tmp_path) is not None
