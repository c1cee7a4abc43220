"""Etags (AIP-154): a resource's version number in a form that clients only compare."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal


def etag_of(version: int) -> str:
    """Returns the etag of a row at `version`, quoted as HTTP wants it (RFC 9110 §8.8.3)."""
    return f'"{version}"'


def check_etag(sent: str, version: int) -> None:
    """Raises Refusal(ETAG_STALE) when the caller sent an etag and the row is no longer at that version.

    An empty etag or `*` means the caller takes any version.
    """
    if sent not in ("", "*", etag_of(version)):
        raise Refusal(reason_pb2.REASON_ETAG_STALE, metadata={"etag": etag_of(version)})
