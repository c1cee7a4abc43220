"""Keys that sign with Ed25519, and their public halves as JWK sets (RFC 7517, RFC 8037)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from services.platform.settings import Settings, SettingsError


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


def signing_key(settings: Settings, name: str) -> SigningKey:
    """Returns the Ed25519 key in the secrets folder (PKCS #8, PEM); development makes a missing one.

    Raises SettingsError for a file that holds no such key, and for a missing one in production.
    """
    pem = settings.secret(name)
    if not pem:
        fresh = Ed25519PrivateKey.generate()
        encoded = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem = settings.store_secret(name, encoded)
    try:
        private = load_pem_private_key(pem, password=None)
    except ValueError as error:
        raise SettingsError(f"The key {name} is not a private key in PEM form.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingsError(f"The key {name} must be an Ed25519 key.")
    return SigningKey(private)


def former_public_keys(settings: Settings, name: str) -> dict[str, bytes]:
    """Returns the public keys (32 bytes, by id) whose signatures still count beside those of the key `name`.

    For `voucher-qr.pem` they are in `voucher-qr.former.pem`, `voucher-qr.former-2026.pem` and so on, as
    public or private keys. Raises SettingsError for a file that holds no Ed25519 key.
    """
    found = {}
    for pem in settings.former_secrets(name):
        try:
            public = load_pem_public_key(pem) if b"PUBLIC KEY" in pem else load_pem_private_key(pem, None)
        except ValueError as error:
            raise SettingsError(f"A former key of {name} is not a key in PEM form.") from error
        if isinstance(public, Ed25519PrivateKey):
            public = public.public_key()
        if not isinstance(public, Ed25519PublicKey):
            raise SettingsError(f"The former keys of {name} must be Ed25519 keys.")
        raw = public.public_bytes_raw()
        found[key_id(raw)] = raw
    return found


def jwk(public: bytes) -> dict[str, str]:
    """Returns a public key (32 bytes) as JSON Web Key."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": key_id(public),
        "x": base64url(public),
        "use": "sig",
        "alg": "EdDSA",
    }


def keys_of(content: bytes) -> dict[str, bytes]:
    """Returns the Ed25519 keys of a JWK set by id; others are passed over. Raises ValueError for anything
    else than a JWK set in JSON, or one without such a key."""
    found = {}
    entries = json_object(content).get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping) and (entry.get("kty"), entry.get("crv")) == ("OKP", "Ed25519"):
            public = from_base64url(str(entry.get("x", "")))
            kid = entry.get("kid") or key_id(public)
            if len(public) == 32 and is_text(kid):
                found[kid] = public
    if not found:
        raise ValueError("holds no Ed25519 key in the form of a JWK set")
    return found


def key_id(public: bytes) -> str:
    """Returns the id of a public key: the first 16 hex characters of SHA-256 over it."""
    return hashlib.sha256(public).hexdigest()[:16]


def is_text(value: object) -> TypeGuard[str]:
    """False also for half a character (`\\ud800`), which JSON can hold and no answer can."""
    return isinstance(value, str) and value.isprintable()


def json_object(content: bytes) -> dict[str, Any]:
    """Returns a JSON object; raises ValueError for anything else."""
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("nests lists in lists without end") from None
    if not isinstance(found, dict):
        raise ValueError("is no JSON object")
    return found


def base64url(data: bytes) -> str:
    """Returns base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Returns the bytes of base64url without padding; raises ValueError for anything else."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64url(data) != text:  # the same bytes written differently would be another token
        raise ValueError("is no base64url")
    return data
