"""A whole stack from outside: the command line, real processes, a home folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.cli.stack.leftovers import left_overs
from services.cli.stack.plan import WIDTH
from services.cli.stack.ports import is_free
from services.cli.stack.state import StackState, find_state
from tests.support.waiting import eventually

WAYMARK = [sys.executable, "-m", "services.cli.main"]


def free_base(first: int = 10_000) -> int:
    """Returns the first port of a free range, from `first` on and below those the system hands out itself."""
    start = first + os.getpid() % 100 * WIDTH
    return next(b for b in range(start, 30_000, WIDTH) if all(is_free(b + n) for n in range(WIDTH)))


def bare_environment() -> dict[str, str]:
    """Returns the environment without settings of Waymark's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}


@dataclass(frozen=True)
class Stack:
    """One stack in `home` on the ports from `base` on."""

    home: Path
    base: int

    def call(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs `waymark` with these arguments on this stack, without the caller's own settings."""
        return subprocess.run(
            [*WAYMARK, *arguments, "--home", str(self.home)],
            env={**bare_environment(), **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def up(self, **environment: str) -> None:
        """Starts it and waits until it is ready."""
        done = self.call("up", "--detach", "--port-base", str(self.base), **environment)
        assert done.returncode == 0, done.stdout + done.stderr + self.log()

    def log(self) -> str:
        """What the supervisor has written."""
        path = self.home / "logs" / "supervisor.log"
        return path.read_text() if path.exists() else ""

    @property
    def state(self) -> StackState:
        """What the supervisor last said of its parts."""
        state = find_state(self.home)
        assert state is not None
        return state

    @property
    def ready(self) -> bool:
        """Whether it runs and every part of it is ready."""
        state = find_state(self.home)
        return state is not None and state.alive and state.ready

    def until(self, check: Callable[[StackState], bool], seconds: float = 180) -> None:
        """Waits until `check` holds of the state."""
        eventually(lambda: check(self.state), seconds, lambda: self.state)

    def until_gone(self, seconds: float = 60) -> None:
        """Waits until no process of this home is left."""
        eventually(lambda: not left_overs(self.home), seconds, lambda: left_overs(self.home))
