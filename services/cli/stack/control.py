"""What commands do to a stack from outside: start it in the background, stop it, wait for it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from services.cli.exits import ExitCode, Failure
from services.cli.stack import process
from services.cli.stack.holding import LOCK, held, holding, was_home
from services.cli.stack.leftovers import end_left_overs
from services.cli.stack.paths import option
from services.cli.stack.postgres import socket_dir
from services.cli.stack.state import FILE, PartState, StackState, find_state

# A supervisor says its state well within it.
BEGIN_SECONDS = 15.0
READY_SECONDS = 180.0
STOP_SECONDS = 90.0
# A part that died so often on the way up will not come up by waiting.
GIVE_UP_RESTARTS = 6
# All that a stack puts into its home; `reset` deletes nothing else.
CONTENTS = ("postgres", "kafka", "s3", "issuer", "edge", "secrets", "index", "logs", "demo")


def running(home: Path) -> StackState | None:
    """Return the state of the stack in `home` if its supervisor runs; one that only begins is waited for."""
    deadline = time.monotonic() + BEGIN_SECONDS
    while True:
        state = find_state(home)
        if state and state.alive:
            return state
        if not held(home) or time.monotonic() > deadline:
            return None
        time.sleep(0.1)


def up_command(home: Path, base: int | None) -> list[str]:
    """Return the command line of a supervisor in the foreground."""
    ports = [] if base is None else ["--port-base", str(base)]
    return [*process.PYTHON, "-m", "services.cli.main", "up", "--home", str(home), *ports]


def start_detached(home: Path, base: int | None) -> subprocess.Popen[bytes]:
    """Start a supervisor that outlives this process; raises Failure when it could not write to its home."""
    with begin_log(home).open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            up_command(home, base),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "200"},
            start_new_session=True,
        )


def start_attached(home: Path, base: int | None) -> subprocess.Popen[bytes]:
    """Start a supervisor that ends in order when this process ends, however it ends; raises Failure when it
    could not write to its home."""
    told = {name: value for name, value in os.environ.items() if name.startswith(("WAYMARK_", "OTEL_"))}
    command = process.Command(up_command(home, base), {**told, "COLUMNS": "200"}, stop_signal=signal.SIGINT)
    return process.spawn(command, begin_log(home))


def begin_log(home: Path) -> Path:
    """Return the log of the supervisor to be started, empty unless the home has a holder: then it is theirs.

    Raises:
        Failure: the home cannot be made or written.
    """
    log = home / "logs" / "supervisor.log"
    try:
        with holding(home):
            log.write_bytes(b"")
    except Failure:
        if not held(home):
            raise
    return log


def wait_ready(
    home: Path, supervisor: subprocess.Popen[bytes] | None, watch: Callable[[StackState], None]
) -> StackState:
    """Wait until the stack just started is ready; where somebody else was faster, until theirs is.

    One that is halted is not waited for: who is to look at its dead letters needs the stack.

    Args:
        home: folder of the stack.
        supervisor: the process that was started for it; None where somebody else's is waited for.
        watch: called with each state on the way.

    Raises:
        Failure: the supervisor ended and nobody else has the home, or the stack is not ready after
            `READY_SECONDS`.
    """
    deadline = time.monotonic() + READY_SECONDS
    log = home / "logs" / "supervisor.log"
    while True:
        state = find_state(home)
        over = supervisor is None or supervisor.poll() is not None
        own = state and supervisor and state.pid == supervisor.pid
        if state and not own and not (over and state.alive):
            state = None  # of the run before: its restarts and complaints say nothing about this one
        if state:
            watch(state)
            if state.ready or {part.state for part in lacking(state)} == {"halted"}:
                return state
        if over and not held(home):
            raise Failure(ExitCode.OTHER, f"The stack did not start.\n{process.tail(log)}")
        stuck = [part for part in lacking(state) if part.restarts >= GIVE_UP_RESTARTS]
        if stuck or time.monotonic() > deadline:
            look = f"Look with `waymark logs PART {option(home)}`"
            remedy = f"It is stopped again. {look}, then start anew." if supervisor else f"{look}."
            raise Failure(
                ExitCode.UNREACHABLE, f"The stack is not ready.\n{complaints(state)}", remedy=remedy
            )
        time.sleep(0.1)


def lacking(state: StackState | None) -> list[PartState]:
    """Return the parts that are not ready."""
    parts = state.parts.values() if state else []
    return [part for part in parts if part.state not in ("ready", "done")]


def complaints(state: StackState | None) -> str:
    """Return a line for each part that is not ready, with its reason."""
    return "\n".join(f"  {part.name}: {part.state} {part.reason}" for part in lacking(state))


def stop(home: Path) -> bool:
    """Stop the stack in `home` in order; kill what is left. Return whether one was running."""
    state = running(home)
    if state is None:
        return end_orphans(home) > 0
    supervisor = psutil.Process(state.pid)
    supervisor.terminate()
    try:
        supervisor.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        supervisor.kill()
    end_orphans(home)
    return True


def stop_started(home: Path, supervisor: subprocess.Popen[bytes]) -> None:
    """Stop the supervisor that `start_detached` returned, even one that has not said its state yet."""
    process.stop(supervisor, process.Command((), stop_seconds=STOP_SECONDS))
    end_orphans(home)


def end_orphans(home: Path) -> int:
    """End the parts that no supervisor has; return how many there were: none while one holds the home."""
    if not was_home(home):
        return end_left_overs(home)
    try:
        with holding(home):
            return end_left_overs(home)
    except Failure:
        return 0


def reset(home: Path) -> bool:
    """Delete all that a stack keeps in `home`; return whether there ever was one.

    Raises:
        Failure: the stack runs.
    """
    if not was_home(home):
        return False
    if running(home):
        remedy = f"Stop it with `waymark down {option(home)}`."
        raise Failure(ExitCode.OTHER, f"The stack in {home} is running.", remedy=remedy)
    with holding(home):
        end_left_overs(home)
        for folder in (*(home / name for name in CONTENTS), socket_dir(home / "postgres")):
            shutil.rmtree(folder, ignore_errors=True)
        for name in (FILE, LOCK):
            (home / name).unlink(missing_ok=True)
    return True
