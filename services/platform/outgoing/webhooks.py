"""Webhooks by the Standard Webhooks specification: secrets, signatures, one attempt, when to try again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from random import Random
from typing import NamedTuple

from services.platform.outgoing.addresses import Reach
from services.platform.outgoing.calling import CallError, answered

PREFIX = "whsec_"
SECRET_BYTES = 32
ANSWER = 10.0  # seconds
# Waits after each failed attempt, as the specification proposes: about three days in all.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
GONE = 410  # the receiver wants no more
_jitter = Random()  # noqa: S311 - spreads attempts, guards nothing


class Outcome(NamedTuple):
    """What came of an attempt. `status`: of HTTP, 0 when no answer came; `error`: a code, empty for 2xx."""

    status: int
    error: str


def new_secret() -> str:
    """Returns a fresh secret in the form that receivers are given."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Returns `v1,` and the signature in base64. `timestamp`: seconds since 1970, UTC."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(keys: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Returns the headers of a message, signed with each of the secrets."""
    return {
        "content-type": "application/json",
        "user-agent": "Waymark-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(key, message_id, timestamp, body) for key in keys),
    }


def wait_after(attempts: int) -> timedelta | None:
    """Returns how long to wait after so many failed attempts, up to a tenth longer so that not all come at
    once; None when that was the last."""
    if attempts > len(WAITS):
        return None
    return WAITS[attempts - 1] * (1 + _jitter.random() / 10)


def send(url: str, signed: Mapping[str, str], body: bytes, reach: Reach) -> Outcome:
    """POSTs a message; follows no redirect and reads no answer beyond its status."""
    try:
        with answered(reach, "POST", url, signed, body, silence=ANSWER, seconds=2 * ANSWER) as answer:
            status = answer.status
    except CallError as error:
        return Outcome(0, error.code)
    if 200 <= status < 300:
        return Outcome(status, "")
    return Outcome(status, "REDIRECT" if 300 <= status < 400 else "STATUS")
