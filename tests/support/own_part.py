"""A Kafka or PostgreSQL of a test's own, to stop, kill and start."""

from __future__ import annotations

from pathlib import Path

from services.cli.stack import process
from services.cli.stack.kafka import Kafka
from services.cli.stack.postgres import Postgres


class OwnPart:
    """Runs `part` from now on; its output goes to `log`. Stop it at the end."""

    def __init__(self, part: Kafka | Postgres, log: Path) -> None:
        self.part, self.log = part, log
        part.prepare(log)
        self.start()

    def start(self) -> None:
        """Starts it (again) and waits for its first answer."""
        self.command = self.part.command()
        self.process = process.spawn(self.command, self.log)
        process.wait_ready(self.process, self.part.ready, self.log, 120)

    def stop(self) -> None:
        """Asks it to end and waits until it has."""
        process.stop(self.process, self.command)

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        process.kill_group(self.process.pid)
        self.process.wait()
