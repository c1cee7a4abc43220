"""Credentials of others for tests: the real files, an internet that is a dictionary, and a badge to sign."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.portfolio.domain.credentials import checking, contexts, controllers, keys, reading
from services.portfolio.domain.credentials.controllers import UnreachableError
from tests.support.real_data import real_data

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DID = "did:web:award.example"
HOME = "https://award.example/.well-known/did.json"


class Internet:
    """Pages by address; any other does not answer."""

    def __init__(self, pages: Mapping[str, Any] | None = None) -> None:
        self.pages = dict(pages or {})
        self.asked: list[str] = []

    def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        if address not in self.pages:
            raise UnreachableError(address)
        page = self.pages[address]
        return page if isinstance(page, bytes) else json.dumps(page).encode()


def fixture(name: str) -> bytes:
    """A real Open Badge."""
    return Path(real_data(f"portfolio/open-badges-3.0/{name}")).read_bytes()


def badge(**fields: Any) -> dict[str, Any]:
    """An unsigned achievement credential of award.example."""
    return {
        "@context": [contexts.V2, contexts.OPEN_BADGES],
        "id": "urn:uuid:0198c0de-0000-7000-8000-000000000001",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": DID, "type": ["Profile"], "name": "Award"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "urn:uuid:0198c0de-0000-7000-8000-000000000002",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://award.example/welding",
                "type": ["Achievement"],
                "name": "Welding",
                "description": "Welds",
                "criteria": {"narrative": "Has welded."},
            },
        },
        **fields,
    }


def award_example(seed: bytes) -> Internet:
    """An internet where award.example asserts by the key `#k`."""
    return Internet({HOME: controllers.did_document(DID, {"k": keys.multikey(seed)})})


def checked(
    content: bytes | dict[str, Any] | str, fetch: Internet, *, trusted: bool = True, now: datetime = NOW
) -> checking.Checked:
    """Checks a file; every issuer is trusted unless told."""
    if isinstance(content, dict):
        content = json.dumps(content)
    data = content.encode() if isinstance(content, str) else content
    return checking.check(reading.read(data), fetch, lambda _: trusted, now)
