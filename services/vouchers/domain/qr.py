"""The signed QR of a voucher: proves offline that the voucher is real, never what it holds.

Standard: compact JWS (RFC 7515) with Ed25519 (RFC 8037), shown as a QR code in SVG.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key with its id."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """Returns the public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        """Returns the key's id: the first 16 hex characters of SHA-256 over the public key."""
        return hashlib.sha256(self.public).hexdigest()[:16]


def voucher_token(key: SigningKey, voucher: str, programme: str, expires: datetime) -> str:
    """Returns the JWS over voucher, programme (resource names) and expiry (UTC, whole seconds)."""
    header = {"alg": "EdDSA", "kid": key.id, "typ": "waymark-voucher"}
    claims = {"sub": voucher, "programme": programme, "exp": int(expires.timestamp())}
    signed = f"{_encoded(header)}.{_encoded(claims)}"
    return f"{signed}.{_base64(key.private.sign(signed.encode()))}"


def qr_svg(text: str) -> str:
    """Returns a QR code of `text` as an SVG document."""
    buffer = io.BytesIO()
    segno.make(text, error="m", micro=False).save(buffer, kind="svg", scale=4, xmldecl=False)
    return buffer.getvalue().decode()


def _encoded(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
