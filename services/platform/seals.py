"""Sealing of what a database must not hold in the clear: AES-256-GCM (NIST SP 800-38D), random 96-bit nonces.

Associated data binds a ciphertext to its place, so that one put in the place of another does not open. A key
seals at most 2^32 texts.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

NONCE = 12  # bytes


class SealBrokenError(Exception):
    """A ciphertext does not open: altered, moved to another place, or under another key."""


class SealKeyMissingError(SealBrokenError, Refusal):
    """A ciphertext names a key that is not among those at hand: Refusal(SEAL_KEY_MISSING) with its id."""

    def __init__(self, named: str) -> None:
        Refusal.__init__(self, reason_pb2.REASON_SEAL_KEY_MISSING, metadata={"key": named})


def key_id(key: bytes, purpose: str) -> str:
    """Returns a name for a key that tells nothing of it: 16 hex digits of a hash."""
    return hashlib.sha256(f"waymark {purpose} key id".encode() + key).hexdigest()[:16]


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
