"""What commands say of a home: by any of its names, on a full disk, with nothing logged, after a reset."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner, Result

from services.cli import main
from services.cli.stack import control
from services.cli.stack import holding as holds
from services.cli.stack.holding import holding
from services.cli.stack.paths import home_dir
from services.cli.stack.postgres import socket_dir
from services.cli.stack.state import StackState, write_state


def told(*command: str | Path) -> Result:
    return CliRunner().invoke(main.app, [str(word) for word in command])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """A home whose stack is ready: this very process."""
    started = psutil.Process(os.getpid()).create_time()
    with holding(tmp_path):
        write_state(tmp_path, StackState(os.getpid(), started, "edge", "issuer", "kafka", 8080, ready=True))
        yield tmp_path


def test_a_home_has_one_name_however_it_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, link = tmp_path / "home", tmp_path / "link"
    home.mkdir()
    link.symlink_to(home)
    assert home_dir(link) == home_dir(home) == home.resolve()
    monkeypatch.setenv("WAYMARK_HOME", str(link))
    assert home_dir() == home.resolve()
    assert link.absolute() != home.resolve()  # control: the other name, as it was taken


def test_a_full_disk_shows_in_the_status_of_a_stack_that_is_ready(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = told("status", "--home", running)
    assert (well.exit_code, "nearly full" in well.output) == (0, False)
    monkeypatch.setattr(holds, "ROOM", shutil.disk_usage(running).total + 1)
    full = told("status", "--home", running)
    assert (full.exit_code, "nearly full" in full.output) == (1, True)


def test_logs_say_when_there_are_none(tmp_path: Path) -> None:
    none = told("logs", "--home", tmp_path)
    assert (none.exit_code, "nothing has been logged" in none.output) == (0, True)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "edge.log").write_text("it runs\n")
    some = told("logs", "--home", tmp_path)
    assert ("nothing has been logged" in some.output, "it runs" in some.output) == (False, True)


def test_a_reset_leaves_no_folder_of_a_socket_behind(tmp_path: Path) -> None:
    home = tmp_path / ("a path that is too long for a socket of Unix" * 3)
    with holding(home):
        sockets = socket_dir(home / "postgres")
        sockets.mkdir()
    assert home not in sockets.parents
    assert control.reset(home)
    assert not sockets.exists()
