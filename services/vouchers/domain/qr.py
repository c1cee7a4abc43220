"""The signed QR of a voucher: proves offline that the voucher is real, never what it holds.

Standard: compact JWS (RFC 7515) with Ed25519 (RFC 8037), public keys as JWK set (RFC 7517), shown as a QR
code in SVG or PNG.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeGuard

import segno
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TYPE = "waymark-voucher"
LONGEST = 2000  # characters of a token


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
        """Returns the key's id."""
        return key_id(self.public)


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
    return f"{signed}.{_base64(key.private.sign(signed.encode()))}"


def read_token(token: str, keys: Mapping[str, bytes]) -> Claims:
    """Returns what a genuine QR says. `keys`: public keys, 32 bytes, by id. Says nothing of its expiry.

    Raises NotGenuineError. Only EdDSA is known: a token that names another algorithm is malformed.
    """
    parts = token.strip().split(".")
    if len(parts) != 3 or len(token) > LONGEST:
        raise NotGenuineError(Flaw.MALFORMED)
    try:
        header, claims, signature = _object(_bytes(parts[0])), _object(_bytes(parts[1])), _bytes(parts[2])
    except ValueError:
        raise NotGenuineError(Flaw.MALFORMED) from None
    kid = header.get("kid")
    if (header.get("alg"), header.get("typ")) != ("EdDSA", TYPE) or not _is_text(kid):
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
    if not (_is_text(voucher) and _is_text(programme) and isinstance(issue, int)):
        raise NotGenuineError(Flaw.MALFORMED, kid)
    return Claims(voucher, programme, expires, issue, kid)


def jwk(public: bytes) -> dict[str, str]:
    """Returns a public key (32 bytes) as JSON Web Key."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": key_id(public),
        "x": _base64(public),
        "use": "sig",
        "alg": "EdDSA",
    }


def keys_of(content: bytes) -> dict[str, bytes]:
    """Returns the Ed25519 keys of a JWK set by id; others are passed over. Raises ValueError for anything
    else than a JWK set in JSON, or one without such a key."""
    found = {}
    entries = _object(content).get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping) and (entry.get("kty"), entry.get("crv")) == ("OKP", "Ed25519"):
            public = _bytes(str(entry.get("x", "")))
            kid = entry.get("kid") or key_id(public)
            if len(public) == 32 and _is_text(kid):
                found[kid] = public
    if not found:
        raise ValueError("holds no Ed25519 key in the form of a JWK set")
    return found


def pictures(text: str) -> tuple[str, bytes]:
    """Returns a QR code of `text` as an SVG document and as a PNG picture, black on white; computed once."""
    code = segno.make(text, error="m", micro=False)
    svg, png = io.BytesIO(), io.BytesIO()
    code.save(svg, kind="svg", scale=4, xmldecl=False)
    code.save(png, kind="png", scale=6)
    return svg.getvalue().decode(), png.getvalue()


def key_id(public: bytes) -> str:
    """Returns the id of a public key: the first 16 hex characters of SHA-256 over it."""
    return hashlib.sha256(public).hexdigest()[:16]


def _encoded(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _is_text(value: object) -> TypeGuard[str]:
    """False also for half a character (`\\ud800`), which JSON can hold and no answer can."""
    return isinstance(value, str) and value.isprintable()


def _object(content: bytes) -> dict[str, Any]:
    """Returns a JSON object; raises ValueError for anything else."""
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("nests lists in lists without end") from None
    if not isinstance(found, dict):
        raise ValueError("is no JSON object")
    return found


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Returns the bytes of base64url without padding; raises ValueError for anything else."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _base64(data) != text:  # the same bytes written differently would be another token
        raise ValueError("is no base64url")
    return data
