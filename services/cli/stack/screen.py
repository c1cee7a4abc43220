"""How a stack looks while it starts and runs: a live table at a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from services.cli.stack.state import StackState, Watcher

PLAIN_WIDTH = 160
COLOURS = {
    "ready": "green",
    "done": "green",
    "starting": "yellow",
    "waiting": "dim",
    "stopping": "yellow",
    "stopped": "dim",
}


def console(*, stderr: bool = False) -> Console:
    """Return where stacks are shown; wide enough for the table where the output is no terminal."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=PLAIN_WIDTH)


def status_table(state: StackState) -> Table:
    """Return the parts of a stack as a table for people."""
    table = Table(title=headline(state), title_justify="left", header_style="bold")
    for heading in ("part", "state", "address", "pid", "restarts"):
        table.add_column(heading, no_wrap=True)
    table.add_column("remark", overflow="fold")
    for part in state.parts.values():
        colour = COLOURS.get(part.state, "red")
        restarts = str(part.restarts) if part.restarts else ""
        cells = [part.address, str(part.pid or ""), restarts, part.reason]
        table.add_row(part.name, Text(part.state, colour), *map(Text, cells))
    return table


def headline(state: StackState) -> str:
    """Return the one line that sums a stack up."""
    ready = sum(part.state in ("ready", "done") for part in state.parts.values())
    if state.ready:
        return f"Waymark is ready at {state.edge}"
    return f"Waymark: {ready} of {len(state.parts)} parts ready"


@contextmanager
def screen(shown_on: Console) -> Iterator[Watcher]:
    """Yield what shows each new state on `shown_on` until the block ends."""
    if not shown_on.is_terminal:
        yield PlainLines(shown_on)
        return
    with Live(console=shown_on, refresh_per_second=4, transient=False) as live:
        yield lambda state: live.update(status_table(state))


class PlainLines:
    """Writes a line for each part that changed, and one when all are ready."""

    def __init__(self, shown_on: Console) -> None:
        self._console = shown_on
        self._shown: dict[str, str] = {}
        self._was_ready = False
        self._began = time.monotonic()

    def __call__(self, state: StackState) -> None:
        """Write what is new in `state`."""
        for name, part in state.parts.items():
            line = f"{part.state}{f': {part.reason}' if part.reason else ''}"
            if self._shown.get(name) != line and part.state != "waiting":
                self._shown[name] = line
                self._console.print(f"{name:<20} {line}", markup=False, highlight=False, soft_wrap=True)
        if state.ready and not self._was_ready:
            after = time.monotonic() - self._began
            self._console.print(f"{headline(state)} after {after:.1f} s", highlight=False)
        self._was_ready = state.ready
