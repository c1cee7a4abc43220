"""The signed QR of a voucher: proves offline that the voucher is real, never what it holds.

Standard: compact JWS (RFC 7515) with Ed25519 (RFC 8037), public keys as JWK set (RFC 7517), shown as a QR
code in SVG or PNG.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import segno
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.platform.signing import SigningKey, base64url, from_base64url, is_text, json_object

TYPE = "waymark-voucher"
LONGEST = 2000  # characters of a token
LAST_ISSUE = 2**31 - 1  # as the table of vouchers counts them


@dataclass(frozen=True)
class Claims:
    """What a genuine QR says. `voucher`, `programme`: resource names; `expires`: UTC; `issue`: number of the
    issue, 1 until the voucher was issued again after loss."""

    voucher: str
    programme: str
    expires: datetime
    issue: int
    key_id: str


class Flaw(Enum):
    """Why a QR is not genuine."""

    MALFORMED = "it is no voucher's QR"
    UNKNOWN_KEY = "it is signed with a key that is not among the keys"
    FORGED = "its signature does not fit: it was forged or changed"


class NotGenuineError(ValueError):
    """A QR is not genuine, for `flaw`. `key_id`: the key it names, where it names one."""

    def __init__(self, flaw: Flaw, key_id: str = "") -> None:
        super().__init__(flaw.value)
        self.flaw = flaw
        self.key_id = key_id


def voucher_token(key: SigningKey, voucher: str, programme: str, expires: datetime, issue: int) -> str:
    """Returns the JWS over voucher, programme (resource names), expiry (UTC, whole seconds) and the number of
    the issue."""
    header = {"alg": "EdDSA", "kid": key.id, "typ": TYPE}
    claims = {"sub": voucher, "programme": programme, "exp": int(expires.timestamp()), "issue": issue}
    signed = f"{_encoded(header)}.{_encoded(claims)}"
    return f"{signed}.{base64url(key.private.sign(signed.encode()))}"


def read_token(token: str, keys: Mapping[str, bytes]) -> Claims:
    """Returns what a genuine QR says. `keys`: public keys, 32 bytes, by id. Says nothing of its expiry.

    Raises NotGenuineError. Only EdDSA is known: a token that names another algorithm is malformed.
    """
    parts = token.strip().split(".")
    if len(parts) != 3 or len(token) > LONGEST:
        raise NotGenuineError(Flaw.MALFORMED)
    try:
        header, claims, signature = (
            json_object(from_base64url(parts[0])),
            json_object(from_base64url(parts[1])),
            from_base64url(parts[2]),
        )
    except ValueError:
        raise NotGenuineError(Flaw.MALFORMED) from None
    kid = header.get("kid")
    if (header.get("alg"), header.get("typ")) != ("EdDSA", TYPE) or not is_text(kid):
        raise NotGenuineError(Flaw.MALFORMED)
    if kid not in keys:
        raise NotGenuineError(Flaw.UNKNOWN_KEY, kid)
    try:
        public = Ed25519PublicKey.from_public_bytes(keys[kid])
        public.verify(signature, f"{parts[0]}.{parts[1]}".encode())
    except InvalidSignature:
        raise NotGenuineError(Flaw.FORGED, kid) from None
    return _claims(claims, kid)


def _claims(claims: Mapping[str, Any], kid: str) -> Claims:
    """A good key does not make good claims: who holds one may have signed anything."""
    voucher, programme, issue = claims.get("sub"), claims.get("programme"), claims.get("issue", 1)
    try:
        expires = datetime.fromtimestamp(claims.get("exp"), UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        raise NotGenuineError(Flaw.MALFORMED, kid) from None
    counted = type(issue) is int and 1 <= issue <= LAST_ISSUE
    if not (is_text(voucher) and is_text(programme) and counted):
        raise NotGenuineError(Flaw.MALFORMED, kid)
    return Claims(voucher, programme, expires, issue, kid)


def pictures(text: str) -> tuple[str, bytes]:
    """Returns a QR code of `text` as an SVG document and as a PNG picture, black on white; computed once."""
    code = segno.make(text, error="m", micro=False)
    svg, png = io.BytesIO(), io.BytesIO()
    code.save(svg, kind="svg", scale=4, xmldecl=False)
    code.save(png, kind="png", scale=6)
    return svg.getvalue().decode(), png.getvalue()


def _encoded(value: Mapping[str, object]) -> str:
    return base64url(json.dumps(value, separators=(",", ":")).encode())
