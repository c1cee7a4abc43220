"""What a supervisor tells other commands about its stack: one small file in the home folder."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from services.cli.exits import ExitCode, Failure
from services.cli.stack.paths import home_dir, option

FILE = "state.json"


@dataclass
class PartState:
    """One part as the supervisor sees it.

    Attributes:
        name: as `waymark logs` takes it.
        state: waiting, starting, ready, not serving (answers that it cannot work), halted (waits for a person
            to look at dead letters), silent (runs, does not answer), restarting, stopping, stopped or done.
        pid: its process, 0 when there is none.
        address: where it listens, "" when nowhere.
        restarts: how often it was started again.
        reason: why it is not ready, in one line.
    """

    name: str
    state: str = "waiting"
    pid: int = 0
    address: str = ""
    restarts: int = 0
    reason: str = ""


@dataclass(frozen=True)
class StackState:
    """A stack: its supervisor, its addresses and its parts.

    Attributes:
        pid, started: process number and start time of the supervisor.
        edge: address of the edge for REST, gRPC and gRPC-Web.
        issuer: address of the token issuer.
        kafka: bootstrap address.
        port_base: first port of the stack.
        ready: every part is ready.
        parts: by name, in start order.
    """

    pid: int
    started: float
    edge: str
    issuer: str
    kafka: str
    port_base: int
    ready: bool = False
    parts: Mapping[str, PartState] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """Whether the supervisor still runs; its number may have been given to another program since."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


Watcher = Callable[[StackState], None]


def write_state(home: Path, state: StackState) -> None:
    """Replace the state file in one step, so that a reader never sees half of it."""
    draft = home / f".{FILE}.{os.getpid()}"
    draft.write_text(json.dumps(asdict(state), indent=2) + "\n")
    draft.replace(home / FILE)


def find_state(home: Path) -> StackState | None:
    """Return the last written state of the stack in `home`, alive or not; None when there never was one."""
    try:
        raw = json.loads((home / FILE).read_text())
        parts = {name: PartState(**part) for name, part in raw.pop("parts").items()}
        return StackState(**raw, parts=parts)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def read_state(home: Path | None = None) -> StackState:
    """Return the state of the running stack in `home` (see `paths.home_dir` for None).

    Raises:
        Failure: no stack runs there.
    """
    folder = home_dir(home)
    state = find_state(folder)
    if state is None or not state.alive:
        remedy = (
            f"Start it with `waymark up {option(folder)}`, or name another folder by --home or WAYMARK_HOME."
        )
        raise Failure(ExitCode.UNREACHABLE, f"No stack is running in {folder}.", remedy=remedy)
    return state
