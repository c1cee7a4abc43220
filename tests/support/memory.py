"""What a process has in its memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from tests.support.lacking import lacking
from tests.support.processes import runs


def holds(pid: int, secret: bytes) -> bool:
    """Tells whether a word stands anywhere in what a process can write to, its heap above all (Linux).

    The test ends where the kernel lets only root look (`lacking`). Raises OSError for a process that has
    ended, AssertionError for one that ends before anything of it is read.
    """
    read = False
    try:
        for content in _writable(pid):
            if secret in content:
                return True
            read |= bool(content)
    except PermissionError:
        if not runs(
            pid
        ):  # to an ordinary user the kernel says the same of one that nobody has waited for yet
            raise
        lacking(f"This user may not read the memory of process {pid}; see kernel.yama.ptrace_scope.")
    assert read, f"nothing of process {pid} was read"
    return False


def _writable(pid: int) -> Iterator[bytes]:
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            extent, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(number, 16) for number in extent.split("-"))
            with suppress(OSError):  # given back since it was listed
                memory.seek(start)
                yield memory.read(end - start)
