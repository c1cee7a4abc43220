"""Several server processes on one port: starts them, restarts what dies, answers /metrics for all, ends
together.

The kernel spreads connections over the processes (SO_REUSEPORT). They are started as programs and not forked:
gRPC's threads do not survive a fork.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from services.platform.ending import set_by_signals
from services.platform.settings import Settings, SettingsError
from services.platform.telemetry.exposition import forget_process, serve_metrics, share_metrics
from services.platform.telemetry.logs import configure_logging

BAD_SETUP = 78
PARENT_PIPE = "WAYMARK_PARENT_PIPE"
FIRST_WAIT = 0.2  # seconds before a process that died is started again; doubled up to LONGEST_WAIT
LONGEST_WAIT = 10.0
STEADY = 30.0  # seconds after which a process counts as well started
END = 30.0  # seconds for draining, then the rest is killed

_log = structlog.get_logger()


def command(service: str) -> list[str]:
    """Returns the command line of one server process."""
    return [sys.executable, "-P", "-m", "services.platform.rpc.worker", service]


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Returns the environment for a server process: glibc keeps to two heaps, or each thread would grow its
    own."""
    return {"MALLOC_ARENA_MAX": "2", **environ}


@dataclass
class Member:
    """One place in the set and the process that fills it."""

    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait: float = FIRST_WAIT
    due: float = field(default_factory=time.monotonic)


class Supervisor:
    """Keeps `settings.processes` server processes running."""

    def __init__(self, settings: Settings) -> None:
        if settings.listen.endswith(":0"):
            raise SettingsError("WAYMARK_LISTEN needs a port of its own when WAYMARK_PROCESSES is over 1.")
        self._settings = settings
        self._members = [Member() for _ in range(settings.processes)]
        self._stop = threading.Event()
        # The processes hold the reading end: whatever ends this one, they notice and drain.
        self._pipe, self._held = os.pipe()

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT, or until a process says that its set-up is bad; returns the exit
        code."""
        set_by_signals(self._stop)
        code = 0
        while not self._stop.wait(0.1):
            if any(self._tend(member) == BAD_SETUP for member in self._members):
                code = BAD_SETUP
                break
        self._end()
        return code

    def _tend(self, member: Member) -> int | None:
        """Starts the member's process when it is due; returns the exit code of one that has just ended."""
        now = time.monotonic()
        if member.process is None:
            if now >= member.due:
                self._start(member)
            return None
        code = member.process.poll()
        if code is None:
            return None
        forget_process(member.process.pid)
        member.wait = FIRST_WAIT if now - member.started > STEADY else min(member.wait * 2, LONGEST_WAIT)
        member.process, member.due = None, now + member.wait
        _log.error("server process ended", code=code, wait=round(member.wait, 1))
        return code

    def _start(self, member: Member) -> None:
        member.started = time.monotonic()
        member.process = subprocess.Popen(  # noqa: S603  our own interpreter and module
            command(self._settings.service),
            env={**environment(), PARENT_PIPE: str(self._pipe)},
            pass_fds=(self._pipe,),
        )
        _log.info("server process started", pid=member.process.pid)

    def _end(self) -> None:
        processes = [member.process for member in self._members if member.process]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + END
        for process in processes:
            try:
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run_server(settings: Settings) -> int:
    """Serves a service with one process or several; returns the exit code, or never when one process
    suffices."""
    if settings.processes == 1:
        # Becoming the server, instead of starting it, leaves one process to watch and sheds what was loaded.
        os.execve(sys.executable, command(settings.service), environment())  # noqa: S606
    configure_logging(settings.service)
    with tempfile.TemporaryDirectory(prefix="waymark-metrics-") as folder:
        share_metrics(Path(folder))
        if settings.metrics_port:
            serve_metrics(settings.metrics_port, settings.listen.rpartition(":")[0].strip("[]"))
        return Supervisor(settings).run()
