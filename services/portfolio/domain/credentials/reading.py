"""A file that somebody brings as a credential: what kind it is, and the credential in it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from services.portfolio.domain.credentials import baking, vc_jwt
from services.portfolio.domain.credentials.vc_jwt import Token, TokenBrokenError

JSON, JWT = "application/vc+ld+json", "application/vc+jwt"  # media types
DEEPEST = 60  # levels of JSON


class UnreadableError(ValueError):
    """No credential is found in the file."""


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


def parsed(text: str | bytes) -> dict[str, Any]:
    """Returns a JSON object that all readers read alike; raises UnreadableError.

    Refused: a name that stands twice, of which readers take this one or that; numbers JSON does not have.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unambiguous, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("is no JSON that is read here") from error
    if not isinstance(value, dict) or _depth(value) > DEEPEST:
        raise UnreadableError("is no JSON object that is read here")
    return value


def _baked(content: bytes) -> str:
    try:
        text = baking.extract(content)
    except baking.ImageUnfitError as error:
        raise UnreadableError(str(error)) from error
    if not text:
        raise UnreadableError("no credential is baked into the picture")
    return text


def _found(text: str) -> Read:
    if text.startswith("{"):
        return Read(text, parsed(text), None, JSON)
    try:
        token = vc_jwt.read(text)
    except TokenBrokenError as error:
        raise UnreadableError("is neither JSON nor JWT") from error
    if _depth(token.claims) > DEEPEST or not token.credential:
        raise UnreadableError("holds no credential")
    return Read(token.text, token.credential, token, JWT)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


def _depth(value: Any) -> int:
    deepest, open_ = 0, [(value, 1)]
    while open_:
        item, level = open_.pop()
        deepest = max(deepest, level)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        open_.extend((each, level + 1) for each in inner)
    return deepest
