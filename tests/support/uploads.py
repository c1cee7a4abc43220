"""How tests put a file where a ticket says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import psycopg
import pytest

from services.platform.objects.store import Objects


def put(url: str, headers: Mapping[str, str], content: bytes) -> httpx.Response:
    """Puts bytes into the store of the tests. It speaks plain HTTP: to load certificates, as httpx would for
    each call, takes longer than the call."""
    return httpx.put(url, headers=dict(headers), content=content, timeout=30, verify=False)


def idle_while_compared(monkeypatch: pytest.MonkeyPatch, url: str) -> list[int]:
    """Returns a list that gets, each time uploaded bytes are compared, how many transactions of the database
    at `url` stand idle meanwhile."""
    seen, verify = list[int](), Objects.verify
    # A connection of the test's own: those of the service are what is looked at.
    query = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle in transaction'"""

    def watched(*arguments: Any) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(query).fetchone()
        seen.append(int(row[0]) if row else -1)
        verify(*arguments)

    monkeypatch.setattr(Objects, "verify", watched)
    return seen
