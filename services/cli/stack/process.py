"""Starting, probing and stopping one part's operating system process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

LAUNCHER = Path(__file__).with_name("launch.py")
# Python processes with a few threads need no more arenas of the C library; each costs memory.
DEFAULTS = {"MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1"}
# Without -P the folder somebody happens to stand in could take the place of any module.
PYTHON = [sys.executable, "-P"]
LOCALE = ("LANG", "LC_ALL", "TZ")
INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", *LOCALE)


class PartError(Exception):
    """A part did not start, or stopped; the message names it and where to look."""


@dataclass(frozen=True)
class Command:
    """How to run one program.

    Attributes:
        argv: program and arguments.
        environment: added to the few inherited variables; a part sees no other part's secrets.
        user: account a root caller drops to, or "".
        stop_signal: asks the program to end in order.
        stop_seconds: how long it may take before it is killed.
        folder: its working folder; the caller's when None.
        forked: the program is one of the project's own, by its name in `fork_server.PROGRAMS`, and started by
            `Forks.spawn`; any other is a file, and started by `spawn`.
    """

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    folder: Path | None = None
    forked: bool = False


class Running(Protocol):
    """A process as `subprocess.Popen` has it, however it was made."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raise subprocess.TimeoutExpired."""

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless it has ended."""


def death_signal(command: Command) -> signal.Signals:
    """Return what a program gets when who started it ends: SIGKILL, or `stop_signal` where it has children of
    its own to end."""
    return command.stop_signal if command.stop_signal != signal.SIGTERM else signal.SIGKILL


def base_environment() -> dict[str, str]:
    """Return the variables that every part inherits."""
    return DEFAULTS | {name: os.environ[name] for name in INHERITED if name in os.environ}


def spawn(command: Command, log: Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, output appended to `log`.

    The program gets its `death_signal` when the calling thread ends, so call this from a thread that lives as
    long as the part should.

    Args:
        command: what to run.
        log: file that receives stdout and stderr.
        stdin: descriptor of its standard input.
    """
    launcher = [
        sys.executable,
        "-I",
        "-S",
        str(LAUNCHER),
        str(os.getpid()),
        str(int(death_signal(command))),
        command.user,
        "--",
    ]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            [*launcher, *command.argv],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**base_environment(), **command.environment},
            cwd=command.folder,
            start_new_session=True,
        )


def run_once(command: Command, log: Path, timeout: float = 60.0) -> None:
    """Run a set-up program to its end.

    Raises:
        PartError: it failed or took longer than `timeout` seconds.
    """
    process = spawn(command, log)
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        process.wait()
        raise PartError(f"{Path(command.argv[0]).name} did not end in {timeout:.0f} s; see {log}") from None
    if code != 0:
        raise PartError(f"{Path(command.argv[0]).name} failed with exit code {code}; see {log}\n{tail(log)}")


def wait_ready(process: Running, ready: Callable[[], bool], log: Path, timeout: float) -> None:
    """Wait until `ready()` answers True.

    Raises:
        PartError: the process ended first, or `timeout` seconds passed.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        if process.poll() is not None:
            raise PartError(f"ended with exit code {process.returncode}; see {log}\n{tail(log)}")
        if time.monotonic() > deadline:
            raise PartError(f"not ready after {timeout:.0f} s; see {log}\n{tail(log)}")
        time.sleep(0.05)


def stop(process: Running, command: Command) -> None:
    """Ask the process to end, wait, then kill whatever is left of its session."""
    if process.poll() is None:
        process.send_signal(command.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(command.stop_seconds)
    kill_group(process.pid)
    process.wait()


def kill_group(pid: int) -> None:
    """Send SIGKILL to every process of the session's group that `spawn` made."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log file, for an error message."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 8192))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
