"""A file that somebody brings as a credential: what kind it is, and the credential in it."""

from __future__ import annotations

from typing import Any, NamedTuple

from services.portfolio.domain.credentials import baking, vc_jwt
from services.portfolio.domain.credentials.strict_json import UnreadableError, parsed
from services.portfolio.domain.credentials.vc_jwt import Token, TokenBrokenError

JSON, JWT = "application/vc+ld+json", "application/vc+jwt"  # media types
SEALED = "application/jose+json"  # JWS in its JSON serialisation (RFC 7515), as European credentials come
# What names of files end in, by media type.
ENDINGS = {JSON: ".json", JWT: ".jwt", SEALED: ".jose.json", "image/png": ".png", "image/svg+xml": ".svg"}


class Read(NamedTuple):
    """A credential as it was found. `text`: JSON or JWT. `token`: set when it came as JWT."""

    text: str
    document: dict[str, Any]
    token: Token | None
    content_type: str


def read(content: bytes) -> Read:
    """Finds the credential in a file: JSON, JWT, or one baked into PNG or SVG. Raises UnreadableError."""
    if baking.is_png(content):
        return _found(_baked(content))._replace(content_type="image/png")
    if baking.is_xml(content):
        return _found(_baked(content))._replace(content_type="image/svg+xml")
    try:
        return _found(content.decode("utf-8-sig").strip())
    except UnicodeDecodeError as error:
        raise UnreadableError("is neither text nor a picture with a credential") from error


def _baked(content: bytes) -> str:
    try:
        text = baking.extract(content)
    except baking.ImageUnfitError as error:
        raise UnreadableError(str(error)) from error
    if not text:
        raise UnreadableError("no credential is baked into the picture")
    return text


def _found(text: str) -> Read:
    found = parsed(text) if text.startswith("{") else None
    if found is not None and "payload" not in found:
        return Read(text, found, None, JSON)
    try:
        token = vc_jwt.read(text) if found is None else vc_jwt.unsealed(found)
    except TokenBrokenError as error:
        raise UnreadableError("is neither JSON nor JWT") from error
    if not token.credential:
        raise UnreadableError("holds no credential")
    return Read(text, token.credential, token, JWT if found is None else SEALED)
