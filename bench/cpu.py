"""Processor time of whole families of processes: what a write costs, whatever else the machine does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


def used(root: int) -> float:
    """Returns seconds of processor time of a process, its descendants and those it has outlived."""
    total = 0.0
    process = psutil.Process(root)
    for member in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = member.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def postmaster(folder: Path) -> int:
    """Returns the process number of the PostgreSQL server whose data lie in `folder`."""
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def measured(roots: Mapping[str, int]) -> Iterator[dict[str, float]]:
    """Yields a dictionary that holds seconds used by each family, by its name, once the body has ended."""
    before = {name: used(root) for name, root in roots.items()}
    found: dict[str, float] = {}
    yield found
    found.update({name: used(root) - before[name] for name, root in roots.items()})
