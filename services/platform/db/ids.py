"""Ids of resources and events: UUID version 7 (RFC 9562), so that new rows land at the end of an index."""

from __future__ import annotations

import os
import threading
import time

_BATCH = 4096  # bytes
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))  # its first two bits are not random


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
    time_, chance = f"{time.time_ns() // 1_000_000:012x}", _random.take(10).hex()
    variant = _VARIANT[chance[3]]
    return f"{time_[:8]}-{time_[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[7:19]}"
