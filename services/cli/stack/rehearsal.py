"""The broker's start, rehearsed once at installation: later ones then take half the time.

The JVM writes down which classes a start loads and how they are linked (JEP 483, 514), and later starts with
the same jars and Java read that.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from services.cli.stack.kafka import Kafka, rehearsed
from services.cli.stack.ports import free_port
from services.cli.stack.process import PartError, spawn, stop, wait_ready

SECONDS = 120.0


def rehearse() -> bool:
    """Start a broker in a folder of its own and end it; return False when that was done before.

    Raises:
        JarsError: a jar differs from the lock.
        PartError: the broker did not start, or left nothing written down.
    """
    kept = rehearsed()
    if kept.exists():
        return False
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="rehearsal-") as name:
        folder = Path(name)
        log, written = folder / "log", folder / kept.name
        broker = Kafka(folder / "kafka", free_port(), free_port(), rehearsal=written)
        broker.prepare(log)
        command = replace(broker.command(), stop_seconds=SECONDS)
        process = spawn(command, log)
        try:
            wait_ready(process, broker.ready, log, SECONDS)
        finally:
            stop(process, command)
        if not written.exists():
            raise PartError("the rehearsal of the broker's start left nothing behind")
        for old in kept.parent.glob("start-*.aot"):
            old.unlink()
        written.replace(kept)
    return True
