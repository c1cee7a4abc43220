"""Nothing outlives its supervisor, and nobody else's process is touched."""

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.cli.stack import process
from services.cli.stack.leftovers import MARK, end_left_overs, left_overs
from services.cli.stack.ports import free_port
from services.cli.stack.process import Command
from tests.support.processes import gone, runs

PARENT = """
import pathlib, subprocess, sys, time
from services.cli.stack import process
argv = [sys.executable, "-c", "import time; time.sleep(60)"]
if sys.argv[1] == "launched":
    child = process.spawn(process.Command(argv), pathlib.Path(sys.argv[2]))
else:
    child = subprocess.Popen(argv, start_new_session=True)
time.sleep(0.5)
print(child.pid, flush=True)
time.sleep(60)
"""
# Each has a child that goes on once its parent, this process, has ended, and is then to become a program.
LAUNCHED = """
import os, sys
from services.cli.stack import launch
parent = os.getpid()
if os.fork() == 0:
    os.read(0, 1)
    if sys.argv[1] == "unchecked":
        os.getppid = lambda: parent
    sys.argv = ["launch.py", str(parent), "9", "", "--", "echo", "it runs"]
    launch.main()
"""
FORKED = """
import os, sys
from types import SimpleNamespace
from services.cli.stack import fork_server
parent, prctl = os.getpid(), fork_server.prctl
def late(*told):
    os.read(0, 1)
    if sys.argv[1] == "unchecked":
        os.getppid = lambda: parent
    prctl(*told)
fork_server.prctl = late
fork_server.PROGRAMS = {"probe": "probe"}
sys.modules["probe"] = SimpleNamespace(main=lambda: print("it runs"))
told = os.memfd_create("told")
os.write(told, b"{}")
os.lseek(told, 0, os.SEEK_SET)
fork_server.fork({"argv": ["probe"], "death": 9}, told, 1)
"""
AS_OTHER_USER = """
import os, sys
from pathlib import Path
import psycopg
from services.cli.stack import process
from services.cli.stack.postgres import Postgres
folder, port = Path(sys.argv[1]), int(sys.argv[2])
server = Postgres(folder / "postgres", port)
server.prepare(folder / "log")
running = process.spawn(server.command(), folder / "log")
process.wait_ready(running, server.ready, folder / "log", 120)
with psycopg.connect(server.socket_url()) as connection:
    print(os.geteuid(), connection.execute("select current_user").fetchone()[0])
process.stop(running, server.command())
"""


def killed_parent_of(kind: str, log: Path) -> int:
    """Kill a process that started another in this way; return the other's number."""
    command = [sys.executable, "-c", PARENT, kind, str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    return child


def test_what_the_launcher_started_dies_with_its_parent(tmp_path: Path) -> None:
    assert gone(killed_parent_of("launched", tmp_path / "log"), 30)


def test_what_was_started_without_the_launcher_stays(tmp_path: Path) -> None:
    child = killed_parent_of("plain", tmp_path / "log")
    assert not gone(child, 1)
    os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("way", [LAUNCHED, FORKED], ids=["launched", "forked"])
@pytest.mark.parametrize("mode", ["checked", "unchecked"])
def test_what_lost_its_parent_before_it_could_ask_for_a_signal_does_not_run(way: str, mode: str) -> None:
    """The kernel tells only of an end that is yet to come; the control does not look whether it has been."""
    with subprocess.Popen(
        [sys.executable, "-c", way, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.wait(60) == 0
        said, _ = parent.communicate("\n", 60)
    assert ("it runs" in said) is (mode == "unchecked")


@pytest.mark.parametrize(("python", "ends"), [(process.PYTHON, True), ([sys.executable], False)])
def test_where_somebody_stands_takes_no_module_s_place(tmp_path: Path, python: list[str], ends: bool) -> None:
    """Control: without the option of `PYTHON` it does."""
    (tmp_path / "services.py").write_text("raise SystemExit('not this one')")
    command = Command([*python, "-c", "import services.cli"], folder=tmp_path)
    assert (process.spawn(command, tmp_path / "log").wait(60) == 0) == ends


def test_left_overs_of_one_home_are_ended_and_no_others(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    homes = tmp_path / "one", tmp_path / "two"
    started = [
        process.spawn(Command([sys.executable, "-c", stubborn], {MARK: str(home)}), tmp_path / "log")
        for home in homes
    ]
    time.sleep(0.5)
    try:
        assert [p.pid for p in left_overs(homes[0])] == [started[0].pid]
        assert end_left_overs(homes[0], patience=0.5) == 1
        assert not runs(started[0].pid)
        assert started[1].poll() is None
    finally:
        for each in started:
            process.kill_group(each.pid)
            each.wait()


def test_postgres_runs_for_an_ordinary_user(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    user, number = ("", os.geteuid())
    if number == 0:
        user, number = "nobody", pwd.getpwnam("nobody").pw_uid
        os.chown(folder, number, -1)
    command = Command([sys.executable, "-c", AS_OTHER_USER, str(folder), str(free_port())], user=user)
    process.run_once(command, folder / "out", timeout=150)
    assert f"{number} postgres" in (folder / "out").read_text()
