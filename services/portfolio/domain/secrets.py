"""Secrets of share links: the token is long and random, the PIN short and guarded by a budget of tries."""

from __future__ import annotations

import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PIN_TRIES = 5  # wrong ones in a row; then the link is locked
# RFC 9106 argon2id at OWASP's least memory, since each opening pays for it.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class LinkSecrets:
    """Makes and checks link secrets under a key (32 bytes), without which stored hashes cannot be tried."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def new_token(self) -> str:
        """Returns a token of 192 random bits, safe in a URL; and on a command line, where a word that begins
        with "-" is an option."""
        while (token := secrets.token_urlsafe(24)).startswith("-"):
            pass
        return token

    def token_hash(self, token: str) -> bytes:
        """Returns the keyed hash (HMAC-SHA-256) a token is stored and found by."""
        return hmac.digest(self._key, b"token:" + token.encode(), "sha256")

    def pin_hash(self, pin: str) -> str:
        """Returns the argon2id hash of a PIN, peppered with the key."""
        return _HASHER.hash(self._peppered(pin))

    def pin_matches(self, stored: str, pin: str) -> bool:
        """True when `pin` is the one that was stored."""
        try:
            return _HASHER.verify(stored, self._peppered(pin))
        except (VerificationError, InvalidHashError):
            return False

    def _peppered(self, pin: str) -> bytes:
        return hmac.digest(self._key, b"pin:" + pin.encode(), "sha256")
