"""Ids of resources and events: UUID version 7 (RFC 9562), so that new rows land at the end of an index."""

from __future__ import annotations

import os
import threading
import time
import uuid

_BATCH = 4096  # bytes


class _Random(threading.local):
    """Bytes of the system's generator, fetched many at a time: each fetch lets go of the interpreter, and in
    a busy process a thread waits long to get it back."""

    fetched = b""
    used = 0

    def take(self, count: int) -> bytes:
        if self.used + count > len(self.fetched):
            self.fetched, self.used = os.urandom(_BATCH), 0
        self.used += count
        return self.fetched[self.used - count : self.used]


_random = _Random()


def new_id() -> str:
    """Returns a UUIDv7 as 36 lower-case characters: 48 bits of Unix milliseconds, 74 random bits.

    The time inside only helps the index; nothing may decide by it.
    """
    text = f"{_new_value():032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_uuid() -> uuid.UUID:
    """Returns a UUIDv7."""
    return uuid.UUID(int=_new_value())


def _new_value() -> int:
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(_random.take(10), "big")
    value = value & ~(0xF000 << 64) | 0x7000 << 64  # version
    return value & ~(0xC000 << 48) | 0x8000 << 48  # variant
