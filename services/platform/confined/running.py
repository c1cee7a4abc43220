"""Has a task make something of a stranger's file, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# Threads would each reserve addresses, as many as a machine has processors.
_ALONE = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_PROCESS = Path(__file__).with_name("process.py")


class Limits(NamedTuple):
    """What a process may take: bytes of data and of addresses, seconds of processor and by the clock."""

    memory: int
    addresses: int
    seconds: int
    patience: float | None


def made_of(content: bytes, task: Path, limits: Limits, *said: object) -> bytes | None:
    """Returns what a task writes: a Python file that imports nothing of ours, whose `main` takes `said` as
    texts and has `content` as file 0; None where it failed or took more than it may."""
    *capped, patience = limits
    command = [sys.executable, "-I", str(_PROCESS), str(task), *map(str, capped), *map(str, said)]
    try:
        return subprocess.run(  # noqa: S603  our own interpreter and files
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # may quote the file
            timeout=patience,
            check=True,
            env=_ALONE,
        ).stdout
    except subprocess.SubprocessError:
        return None
