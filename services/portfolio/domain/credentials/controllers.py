"""Where the keys of proofs are: DID documents and other controlled identifier documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag

from services.portfolio.domain.credentials.data_integrity import PURPOSE
from services.portfolio.domain.credentials.fields import many
from services.portfolio.domain.credentials.keys import (
    DID_KEY,
    Key,
    KeyUnusableError,
    from_jwk,
    from_multikey,
)
from services.portfolio.domain.credentials.strict_json import UnreadableError, parsed

DID_WEB = "did:web:"
_HOST = re.compile(r"[A-Za-z0-9.-]+(%3A[0-9]{1,5})?")

# Returns the bytes at an address, fetched now or lately; raises UnreachableError.
Fetch = Callable[[str], bytes]


class UnreachableError(Exception):
    """An address is not one to fetch from, or does not answer as it should."""


class KeyMissingError(Exception):
    """A proof names no key, or one that its controller does not have for this purpose."""


class Found(NamedTuple):
    """A key, and whose it is by a document of theirs; `controller` is "" when nothing shows that."""

    key: Key
    controller: str


def find(method: str, fetch: Fetch) -> Found:
    """Returns the key that a proof names as its verification method.

    Raises KeyMissingError, UnreachableError.
    """
    try:
        controller, fragment = urldefrag(method)
    except ValueError as error:
        raise KeyMissingError(method) from error
    if controller.startswith(DID_KEY):
        return Found(_multikey(controller.removeprefix(DID_KEY)), controller)
    if controller.startswith(DID_WEB):
        return _among(document(controller, fetch), controller, method)
    if not controller.startswith(("https://", "http://")):
        raise KeyMissingError(method)
    try:
        return _among(document(controller, fetch), controller, method)
    except (UnreachableError, KeyMissingError):
        # Open Badges name keys by themselves behind the issuer's address. The signature can be told; whose
        # key it is cannot.
        if not fragment:
            raise
        return Found(_multikey(fragment), "")


def keys_of(controller: str, fetch: Fetch) -> list[Key]:
    """Returns every key by which somebody asserts; raises UnreachableError, KeyMissingError."""
    if controller.startswith(DID_KEY):
        return [_multikey(controller.removeprefix(DID_KEY))]
    found = document(controller, fetch)
    return [key for method in _asserting(found, controller) if (key := _usable(method))]


def document(controller: str, fetch: Fetch) -> dict[str, Any]:
    """Returns the document of a did:web or an https address; raises UnreachableError for what is none."""
    address = did_web_address(controller) if controller.startswith(DID_WEB) else controller
    try:
        found = parsed(fetch(address))
    except UnreadableError as error:
        raise UnreachableError(address) from error
    if found.get("id") != controller:
        raise UnreachableError(address)  # somebody else's
    return found


def did_web_address(did: str) -> str:
    """Returns where the document of a did:web is; raises UnreachableError for what is no did:web."""
    host, *path = did.removeprefix(DID_WEB).split(":")
    if not _HOST.fullmatch(host) or not all(path) or any("/" in unquote(part) for part in path):
        raise UnreachableError(did)
    host = unquote(host)
    # On this machine there are no certificates. Whether it may be asked at all, the fetcher decides.
    scheme = "http" if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
    return f"{scheme}://{host}/{'/'.join(path or ['.well-known'])}/did.json"


def did_web(origin: str, *path: str) -> str:
    """Returns the did:web for a path below an origin such as `https://host:8443`."""
    return DID_WEB + ":".join((origin.partition("://")[2].replace(":", "%3A"), *path))


def did_document(did: str, multikeys: Mapping[str, str]) -> dict[str, Any]:
    """Returns the DID document of somebody who asserts by these keys: fragment → Multikey."""
    methods = [
        {"id": f"{did}#{name}", "type": "Multikey", "controller": did, "publicKeyMultibase": key}
        for name, key in multikeys.items()
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": methods,
        PURPOSE: [method["id"] for method in methods],
    }


def _among(found: Mapping[str, Any], controller: str, method: str) -> Found:
    for each in _asserting(found, controller):
        if _absolute(each.get("id"), controller) == method and (key := _usable(each)):
            return Found(key, controller)
    raise KeyMissingError(method)


def _asserting(found: Mapping[str, Any], controller: str) -> list[dict[str, Any]]:
    """Returns the methods of a document that are there to assert with, and controlled by whom it is of."""
    methods = [each for each in many(found.get("verificationMethod")) if isinstance(each, dict)]
    asserting = many(found.get(PURPOSE))
    named = {_absolute(each, controller) for each in asserting if isinstance(each, str)}
    embedded = [each for each in asserting if isinstance(each, dict)]
    own = [each for each in methods if _absolute(each.get("id"), controller) in named]
    return [each for each in (*own, *embedded) if each.get("controller", controller) == controller]


def _absolute(method: Any, controller: str) -> str:
    return f"{controller}{method}" if isinstance(method, str) and method.startswith("#") else str(method)


def _usable(method: Mapping[str, Any]) -> Key | None:
    try:
        if "publicKeyMultibase" in method:
            return from_multikey(str(method["publicKeyMultibase"]))
        return from_jwk(method.get("publicKeyJwk"))
    except KeyUnusableError:
        return None


def _multikey(text: str) -> Key:
    try:
        return from_multikey(text)
    except KeyUnusableError as error:
        raise KeyMissingError(text) from error
