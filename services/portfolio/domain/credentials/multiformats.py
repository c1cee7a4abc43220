"""Multibase and Multikey, the texts in which credentials write bytes and public keys."""

from __future__ import annotations

import base64
import binascii

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_BASE58)}
LONGEST = 500  # letters of base58: decoding costs the square of them


class MultibaseError(ValueError):
    """The text is not multibase, or not of the kind that is read here."""


def base58(data: bytes) -> str:
    """Returns bytes as multibase base58btc: `z…`."""
    number, letters = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        letters = _BASE58[digit] + letters
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + letters


def base64url(data: bytes) -> str:
    """Returns bytes as multibase base64url without padding: `u…`."""
    return "u" + unpadded(data)


def unpadded(data: bytes) -> str:
    """Returns bytes as base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_unpadded(text: str) -> bytes:
    """Returns what `unpadded` wrote; raises MultibaseError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise MultibaseError("is no base64url") from None


def from_multibase(text: str) -> bytes:
    """Returns the bytes of `z…` or `u…`; raises MultibaseError."""
    if text.startswith("u"):
        return from_unpadded(text[1:])
    if not text.startswith("z") or len(text) > LONGEST:
        raise MultibaseError("is no multibase of base58 or base64url")
    number = 0
    for letter in text[1:]:
        if letter not in _VALUES:
            raise MultibaseError("has letters that base58 does not have")
        number = number * 58 + _VALUES[letter]
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
