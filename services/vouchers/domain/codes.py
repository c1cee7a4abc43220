"""Voucher codes: 15 random Crockford base-32 characters (75 bits) and a check character.

Only the HMAC-SHA-256 of a code is ever stored; the check character catches slips of the pen before a look-up.
Standard: Crockford base 32 with its modulo-37 check symbol.
"""

from __future__ import annotations

import hmac
import secrets

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_ALPHABET = ALPHABET + "*~$=U"
LENGTH = 15
READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def new_code() -> str:
    """Returns a fresh code in four groups of four, for example `7ZXC-…`; from the system's random source."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return grouped(body + check_character(body))


def grouped(code: str) -> str:
    """Returns the 16 characters with a hyphen after each fourth."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def check_character(body: str) -> str:
    """Returns the check symbol: the number that `body` is, modulo 37."""
    number = 0
    for character in body:
        number = number * 32 + ALPHABET.index(character)
    return CHECK_ALPHABET[number % 37]


def normalise(text: str) -> str:
    """Returns the 16 characters of a code however it was typed (case, hyphens, O for 0, I and L for 1).

    Raises Refusal(VOUCHER_CODE_INVALID), the same as for an unknown code, so that guessing learns nothing.
    """
    code = text.upper().translate(READ_AS)
    if len(code) != LENGTH + 1 or any(character not in ALPHABET for character in code[:LENGTH]):
        raise Refusal(reason_pb2.REASON_VOUCHER_CODE_INVALID)
    if check_character(code[:LENGTH]) != code[LENGTH]:
        raise Refusal(reason_pb2.REASON_VOUCHER_CODE_INVALID)
    return code


def code_hmac(key: bytes, code: str) -> bytes:
    """Returns the 32 bytes kept for a normalised or freshly made code. `key`: 32 secret bytes."""
    return hmac.digest(key, code.replace("-", "").encode(), "sha256")
