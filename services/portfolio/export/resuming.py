"""Going on with an archive that broke off: it is made again, and what the caller has of it is left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal


def rest_of(parts: Iterable[bytes], received: int, sha256: str) -> Iterator[bytes]:
    """Yields what comes of an archive after the `received` bytes that have this SHA-256 (hex).

    Raises Refusal(EXPORT_CHANGED) before the first byte when it begins with others by now.
    """
    before, missing = hashlib.sha256(), received
    for part in parts:
        begin, rest = part[:missing], part[missing:]
        if missing:
            before.update(begin)
            missing -= len(begin)
            if not missing:
                _require_same(before.hexdigest(), sha256)
        if rest:
            yield rest
    if missing:
        raise Refusal(reason_pb2.REASON_EXPORT_CHANGED)


def _require_same(found: str, sha256: str) -> None:
    if found != sha256:
        raise Refusal(reason_pb2.REASON_EXPORT_CHANGED)
