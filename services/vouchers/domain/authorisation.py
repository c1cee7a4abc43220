"""Codes by which a learner agrees to one spend where the training is: 8 random Crockford base-32 characters.

40 bits suffice: a code counts once and for minutes, five wrong tries end it, and a redemption gets five.
Only an HMAC-SHA-256 of it is stored, bound to its redemption.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.codes import ALPHABET, READ_AS, grouped

LENGTH = 8
TRIES = 5  # wrong ones, which end a code
CODES = 5  # for one redemption, so that tries do not add up without end
VALID = timedelta(minutes=15)


@dataclass(frozen=True)
class AuthorisationCode:
    """What is kept for a redemption. `hmac` is None before the first code and once one was used; `wrong`
    counts tries since the newest code, `sent` counts codes."""

    hmac: bytes | None = None
    expires_at: datetime | None = None
    wrong: int = 0
    sent: int = 0

    @property
    def tries_left(self) -> int:
        """How many wrong tries remain."""
        return max(0, TRIES - self.wrong)

    def renew(self, code_hmac: bytes, now: datetime, authorise_until: datetime) -> AuthorisationCode:
        """Puts a new code in the place of an older one. Raises Refusal(TOO_MANY_ATTEMPTS) after CODES."""
        if self.sent >= CODES:
            raise Refusal(reason_pb2.REASON_TOO_MANY_ATTEMPTS, metadata={"codes_left": "0"})
        expires_at = min(now + VALID, authorise_until)
        return AuthorisationCode(code_hmac, expires_at, sent=self.sent + 1)

    def prove(self, presented: bytes | None, now: datetime) -> None:
        """`presented` is the HMAC of what somebody says the code is, None when nothing was said.

        Raises Refusal: TOO_MANY_ATTEMPTS when no try is left, else AUTHORISATION_CODE_INVALID, the same for a
        wrong code and for one that was replaced, has expired, was used or never sent. Whoever asks counts
        that try, where something was said.
        """
        if not self.tries_left:
            raise Refusal(reason_pb2.REASON_TOO_MANY_ATTEMPTS, metadata={"tries_left": "0"})
        if presented is None:
            raise _invalid(self.tries_left)
        same = hmac.compare_digest(self.hmac or bytes(32), presented)
        if not same or self.hmac is None or self.expires_at is None or now >= self.expires_at:
            raise _invalid(self.tries_left - 1)


def _invalid(tries_left: int) -> Refusal:
    metadata = {"tries_left": str(tries_left)}
    return Refusal(reason_pb2.REASON_AUTHORISATION_CODE_INVALID, metadata=metadata)


def new_code() -> str:
    """Returns a fresh code in two groups of four, such as `7ZXC-04KM`; from the system's random source."""
    return grouped("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))


def code_hmac(key: bytes, redemption: str, code: str) -> bytes:
    """Returns the 32 bytes kept for a code, however it was typed (case, spaces, hyphens, O for 0, I and L for
    1). `key`: 32 secret bytes; `redemption`: id of what it is for."""
    return hmac.digest(key, f"{redemption}:{code.upper().translate(READ_AS)}".encode(), "sha256")
