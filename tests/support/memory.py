"""What a process has in its memory."""

from __future__ import annotations

from contextlib import suppress


def holds(pid: int, secret: bytes) -> bool:
    """Tells whether a word stands anywhere in what a process can write to, its heap above all (Linux)."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            extent, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(number, 16) for number in extent.split("-"))
            with suppress(OSError, OverflowError):  # pages of the kernel's that nobody may read
                memory.seek(start)
                if secret in memory.read(end - start):
                    return True
    return False
