"""How tests put a file where a ticket says."""

from __future__ import annotations

from collections.abc import Mapping

import httpx


def put(url: str, headers: Mapping[str, str], content: bytes) -> httpx.Response:
    """Puts bytes into the store of the tests. It speaks plain HTTP: to load certificates, as httpx would for
    each call, takes longer than the call."""
    return httpx.put(url, headers=dict(headers), content=content, timeout=30, verify=False)
