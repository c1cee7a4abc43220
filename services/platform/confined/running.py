"""Has a task make something of a stranger's file, in a process of its own."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

# Threads would each reserve addresses, as many as a machine has processors.
_ALONE = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
CHUNK = 1 << 16  # bytes read at once
_PROCESS = Path(__file__).with_name("process.py")


class Limits(NamedTuple):
    """What a process may take: bytes of data and of addresses, seconds of processor and by the clock, and
    bytes that it may write."""

    memory: int
    addresses: int
    seconds: int
    patience: float
    written: int


def made_of(content: bytes, task: Path, limits: Limits, *said: object) -> bytes | None:
    """Returns what a task writes: a Python file that imports nothing of ours, whose `main` takes `said` as
    texts and has `content` as file 0; None where it failed or took more than it may."""
    capped = (limits.memory, limits.addresses, limits.seconds)
    command = [sys.executable, "-I", str(_PROCESS), str(task), *map(str, capped), *map(str, said)]
    # The only file there is, and no disk sees it; a pipe could be read but once.
    with open(os.memfd_create("given"), "w+b") as given:
        given.write(content)
        given.seek(0)
        with subprocess.Popen(  # noqa: S603  our own interpreter and files
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # may quote the file
            env=_ALONE,
        ) as process:
            made = _written(process, limits)
    return made if process.returncode == 0 else None


def _written(process: subprocess.Popen[bytes], limits: Limits) -> bytes | None:
    """Returns what a process wrote once it has ended; kills one that writes more than it may, or has had its
    time."""
    assert process.stdout
    until, made = time.monotonic() + limits.patience, bytearray()
    writing = select.poll()
    writing.register(process.stdout, select.POLLIN)
    while len(made) <= limits.written and writing.poll(_left(until) * 1000):
        if chunk := os.read(process.stdout.fileno(), CHUNK):
            made += chunk
            continue
        with suppress(subprocess.TimeoutExpired):
            process.wait(_left(until))
            return bytes(made)
        break
    process.kill()
    return None


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())
