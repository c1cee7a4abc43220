"""Sealing of what a database must not hold in the clear: AES-256-GCM (NIST SP 800-38D), random 96-bit nonces.

Associated data binds a ciphertext to its place, so that one put in the place of another does not open. A key
seals at most 2^32 texts.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12  # bytes


class SealBrokenError(Exception):
    """A ciphertext does not open: altered, moved to another place, or under another key."""


def encrypt(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Returns nonce and ciphertext of `plain`, which opens only under `key` (32 bytes) with `bound`."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Returns what was sealed; raises SealBrokenError for anything but that."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except (InvalidTag, ValueError):
        raise SealBrokenError("a ciphertext does not belong where it was found") from None
