"""API keys: how they are made, and what is kept of them."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

MARK = "wmk_"  # so that scanners for leaked secrets know one
PUBLIC = 8  # characters after the mark that people tell keys apart by
RANDOM_BYTES = 32
LONGEST = 64  # characters; nothing longer is looked at


class NewKey(NamedTuple):
    """A key, how it begins, and its digest, which alone is kept."""

    secret: str
    prefix: str
    digest: bytes


def make() -> NewKey:
    """Makes a key of 256 random bits."""
    secret = MARK + secrets.token_urlsafe(RANDOM_BYTES)
    return NewKey(secret, secret[: len(MARK) + PUBLIC], digest(secret))


def digest(secret: str) -> bytes:
    """Returns the SHA-256 of a key. It needs no salt and no slow hash: nobody can guess 208 hidden bits."""
    return hashlib.sha256(secret[: LONGEST + 1].encode()).digest()
