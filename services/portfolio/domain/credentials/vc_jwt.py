"""Credentials as JWT: what stands in them (VC-JOSE-COSE, and the older claim `vc`), signed and verified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from joserfc import jws
from joserfc.errors import JoseError

from services.portfolio.domain.credentials.keys import Key, ed25519, sign
from services.portfolio.domain.credentials.multiformats import from_unpadded, unpadded
from services.portfolio.domain.credentials.strict_json import parsed

ALGORITHMS = ("EdDSA", "Ed25519", "ES256", "RS256")
LONGEST = 1 << 20  # characters of payload; the header may carry an RSA key
_BY_TYPE = {"OKP": ("EdDSA", "Ed25519"), "EC": ("ES256",), "RSA": ("RS256",)}


class TokenBrokenError(ValueError):
    """The text is no JWT of a credential."""


class Token(NamedTuple):
    """A JWT taken apart, nothing of it verified yet."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def credential(self) -> dict[str, Any]:
        """The credential in it."""
        inner = self.claims.get("vc", self.claims)
        return inner if isinstance(inner, dict) else {}

    @property
    def contradicts(self) -> bool:
        """True when registered claims say another thing than the credential: issuer or id."""
        issuer = self.credential.get("issuer")
        named = issuer.get("id") if isinstance(issuer, dict) else issuer
        pairs = (("iss", named), ("jti", self.credential.get("id")))
        return any(name in self.claims and self.claims[name] != value for name, value in pairs)


def read(text: str) -> Token:
    """Takes a compact JWT apart; raises TokenBrokenError."""
    parts = text.strip().split(".")
    if len(parts) != 3:
        raise TokenBrokenError("is no compact JWT")
    try:
        header, claims = (parsed(from_unpadded(part)) for part in parts[:2])
    except ValueError as error:
        raise TokenBrokenError("is no compact JWT") from error
    return Token(text.strip(), header, claims)


def unsealed(found: Mapping[str, Any]) -> Token:
    """Takes the JSON serialisation of a JWS apart (RFC 7515, 7.2); of several signatures none is looked at.
    Raises TokenBrokenError."""
    signatures = found.get("signatures", [found])
    try:
        only = signatures[0] if len(signatures) == 1 else {"protected": unpadded(b"{}"), "signature": ""}
        return read(".".join((only["protected"], found["payload"], only["signature"])))
    except (KeyError, TypeError) as error:
        raise TokenBrokenError("is no JWS") from error


def holds(token: Token, key: Key) -> bool:
    """True when the token is signed by `key`, by an algorithm that fits the key."""
    if "crit" in token.header or token.header.get("alg") not in _BY_TYPE[key.key_type]:
        return False
    try:
        if key.key_type == "OKP":  # by hand, as the library knows it under one of its two names only
            signed, _, signature = token.text.rpartition(".")
            ed25519(key).verify(from_unpadded(signature), signed.encode())
        else:
            jws.deserialize_compact(token.text, key, registry=_registry(key.key_type))
    except (JoseError, InvalidSignature, ValueError):
        return False
    return True


def sign_token(credential: Mapping[str, Any], seed: bytes, method: str) -> str:
    """Returns the credential as JWT (VC-JOSE-COSE), signed with EdDSA; others find the key under `method`."""
    header = {"alg": "EdDSA", "typ": "vc+jwt", "kid": method}
    parts = [unpadded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, credential)]
    return ".".join([*parts, unpadded(sign(seed, ".".join(parts).encode()))])


def _registry(key_type: str) -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=_BY_TYPE[key_type], strict_check_header=False)
    registry.max_header_length, registry.max_payload_length = 1 << 13, LONGEST
    return registry
