"""Sealing of what a database must not hold in the clear: AES-256-GCM (NIST SP 800-38D), random 96-bit nonces.

Associated data binds a ciphertext to its place, so that one put in the place of another does not open. A key
seals at most 2^32 texts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

NONCE = 12  # bytes
# What `Seals` seals begins with this and the 8 bytes of the key's id. What does not was sealed when there was
# one key; such a text begins with a random nonce, so one in 2^32 of them looks as if it named a key.
_NAMED = b"wmk\x01"
_HEAD = len(_NAMED) + 8


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


class Seals:
    """Seals texts under `key` (32 bytes), and opens those under it or a `former` key.

    A text opens in its place only: a resource name, with the field where a resource has several. `purpose`
    goes into the ids of keys.
    """

    def __init__(self, purpose: str, key: bytes, former: Sequence[bytes] = ()) -> None:
        self._key = key
        self._keys = {bytes.fromhex(key_id(each, purpose)): each for each in (key, *former)}
        self._named = _NAMED + next(iter(self._keys))

    def seal(self, place: str, text: str) -> bytes | None:
        """Returns what is kept of a text; None of an empty one."""
        return self._seal(text.encode(), place.encode()) if text else None

    def open(self, place: str, sealed: bytes | None) -> str:
        """Returns the text.

        Raises SealBrokenError when it was altered or lay elsewhere, and SealKeyMissingError, a refusal that
        names the key, when that is not at hand.
        """
        return self._open(bytes(sealed), place.encode()).decode() if sealed else ""

    def _seal(self, plain: bytes, bound: bytes) -> bytes:
        return self._named + encrypt(self._key, plain, bound)

    def _open(self, sealed: bytes, bound: bytes) -> bytes:
        if sealed.startswith(_NAMED) and (key := self._keys.get(sealed[len(_NAMED) : _HEAD])):
            return decrypt(key, sealed[_HEAD:], bound)
        for key in self._keys.values():
            try:
                return decrypt(key, sealed, bound)
            except SealBrokenError:
                continue
        if sealed.startswith(_NAMED):
            raise SealKeyMissingError(sealed[len(_NAMED) : _HEAD].hex())
        raise SealBrokenError("a text was altered, lies elsewhere, or its key is not among the service's")
