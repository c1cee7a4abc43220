"""Keys that prove: Ed25519 to sign with, and what proofs name them by (Multikey, did:key, JWK)."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from services.portfolio.domain.credentials.multiformats import base58, from_multibase, unpadded

Key = ECKey | OKPKey | RSAKey
_ED25519, _P256 = b"\xed\x01", b"\x80\x24"  # multicodec prefixes
DID_KEY = "did:key:"
_LEAST_RSA = 2048  # bits
_PUBLIC = frozenset({"kty", "crv", "x", "y", "n", "e"})


class KeyUnusableError(ValueError):
    """What should be a public key is none, or of a kind that is not used here."""


def new_seed() -> bytes:
    """Returns 32 secret bytes that make an Ed25519 key."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def multikey(seed: bytes) -> str:
    """Returns the public key of a seed as a Multikey: `z6Mk…`."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return base58(_ED25519 + public.public_bytes_raw())


def sign(seed: bytes, data: bytes) -> bytes:
    """Returns the Ed25519 signature (64 bytes) over `data`."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(data)


def ed25519(key: Key) -> Ed25519PublicKey:
    """Returns the key as an Ed25519 public key; raises KeyUnusableError for any other kind."""
    public = key.public_key
    if not isinstance(public, Ed25519PublicKey):
        raise KeyUnusableError("is no Ed25519 key")
    return public


def from_multikey(text: str) -> Key:
    """Returns the key of a Multikey, Ed25519 or P-256; raises KeyUnusableError."""
    try:
        raw = from_multibase(text)
        if raw.startswith(_ED25519) and len(raw) == 34:
            return from_jwk({"kty": "OKP", "crv": "Ed25519", "x": unpadded(raw[2:])})
        if raw.startswith(_P256):
            point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw[2:]).public_numbers()
            x, y = (unpadded(number.to_bytes(32)) for number in (point.x, point.y))
            return from_jwk({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    except ValueError as error:
        raise KeyUnusableError("is no Multikey") from error
    raise KeyUnusableError("is of a kind that is not used here")


def from_jwk(fields: Any) -> Key:
    """Returns the key of a public JWK: Ed25519, P-256, or RSA of 2048 bits; raises KeyUnusableError."""
    if not isinstance(fields, dict):
        raise KeyUnusableError("is no JWK")
    if fields.get("kty") == "RSA" and len(str(fields.get("n", ""))) < _LEAST_RSA / 6:
        raise KeyUnusableError("is too short")
    if fields.get("kty") not in ("RSA", "EC", "OKP"):
        raise KeyUnusableError("is of a kind that is not used here")
    try:
        # Nothing but the public key: what else the text says of itself decides nothing.
        key: Any = import_key({name: value for name, value in fields.items() if name in _PUBLIC})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise KeyUnusableError("is no JWK") from error
    if isinstance(key, RSAKey) or key.curve_name in ("Ed25519", "P-256"):
        found: Key = key
        return found
    raise KeyUnusableError("is of a kind that is not used here")


def did_key(seed: bytes) -> str:
    """Returns the verification method of a key that speaks for itself: `did:key:z…#z…`."""
    text = multikey(seed)
    return f"{DID_KEY}{text}#{text}"
