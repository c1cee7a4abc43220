"""Webhooks by the Standard Webhooks specification: secrets, signatures, addresses, when to try again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from enum import IntEnum
from random import Random
from urllib.parse import SplitResult, urlsplit

PREFIX = "whsec_"
SECRET_BYTES = 32
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
GIVEN_UP_LIMIT = 5  # messages in a row, after which the endpoint is told no more
GONE = 410  # the receiver wants no more
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal", ".home.arpa")
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}")
_jitter = Random()  # noqa: S311 - spreads attempts, guards nothing

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class EndpointState(IntEnum):
    """The same numbers as `WebhookEndpoint.State` in the contract."""

    ENABLED = 1
    DISABLED = 2
    FAILED = 3


class DeliveryState(IntEnum):
    """The same numbers as `WebhookDelivery.State` in the contract."""

    PENDING = 1
    DELIVERED = 2
    FAILED = 3


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


def url_problem(url: str, *, development: bool) -> str:
    """Returns what is wrong with an endpoint's address; empty when nothing is. Asks no name server."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no address"
    schemes = ("https", "http") if development else ("https",)
    if parts.scheme not in schemes:
        return f"must begin with {' or '.join(scheme + '://' for scheme in schemes)}"
    if not parts.hostname or any(letter.isspace() or ord(letter) < 32 for letter in url):
        return "must have a host and no blanks"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "must have no user, password or fragment"
    return _host_problem(parts, development=development)


def _host_problem(parts: SplitResult, *, development: bool) -> str:
    host = (parts.hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        public = _NAME.fullmatch(host) and not host.endswith(_LOCAL_NAMES)
        return "" if public or (development and host == "localhost") else "must have a public host name"
    return "" if may_connect(address, development=development) else "must be a public address"


def may_connect(address: Address, *, development: bool) -> bool:
    """True for addresses of the public internet, and in development for this machine itself."""
    if development and address.is_loopback:
        return True
    # Each of these leads to an IPv4 address that would not be judged.
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address in _NAT64
    ):
        return False
    return address.is_global and not address.is_multicast
