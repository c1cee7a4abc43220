"""A part of a stack of a test's or benchmark's own, to stop, kill and start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.cli.stack import process
from services.cli.stack.parts import Part


class OwnPart:
    """Runs `part` from now on; its output goes to `log`. Stop it at the end, or use `started`."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part, self.log = part, log
        part.prepare(log)
        self.start()

    def start(self) -> None:
        """Starts it (again) and waits for its first answer."""
        self.command = self.part.command()
        self.process = process.spawn(self.command, self.log)
        try:
            process.wait_ready(self.process, self.part.ready, self.log, 120)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Asks it to end and waits until it has."""
        process.stop(self.process, self.command)

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        process.kill_group(self.process.pid)
        self.process.wait()


@contextmanager
def started(part: Part, log: Path) -> Iterator[OwnPart]:
    """Runs `part` for the length of the block."""
    own = OwnPart(part, log)
    try:
        yield own
    finally:
        own.stop()
