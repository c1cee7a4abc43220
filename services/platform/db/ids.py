"""Ids of resources and events: UUID version 7 (RFC 9562), so that new rows land at the end of an index."""

from __future__ import annotations

import os
import time
import uuid


def new_id() -> str:
    """Returns a UUIDv7 as 36 lower-case characters: 48 bits of Unix milliseconds, 74 random bits.

    The time inside only helps the index; nothing may decide by it.
    """
    return str(new_uuid())


def new_uuid() -> uuid.UUID:
    """Returns a UUIDv7."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF000 << 64) | 0x7000 << 64  # version
    value = value & ~(0xC000 << 48) | 0x8000 << 48  # variant
    return uuid.UUID(int=value)
