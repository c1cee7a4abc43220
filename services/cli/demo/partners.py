"""A world of partners to sell API access to, made up by rule: nothing of it is real."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PARTNERS, OFFICES = 455, 76
SECTORS = ("SECTOR_PUBLIC", "SECTOR_PRIVATE", "SECTOR_THIRD")


def partners(run: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields PARTNERS organisations as (id, JSON): of each sector in turn, every tenth a platform. The first
    is of the private sector."""
    for number in range(PARTNERS):
        role = "PLATFORM" if number % 10 == 4 else "PARTNER"
        yield (
            f"partner-{number:03d}-{run}",
            {
                "displayName": f"Partner {number:03d} {run}",
                "sector": SECTORS[(number + 1) % len(SECTORS)],
                "roles": [f"ORGANISATION_ROLE_{role}"],
            },
        )


def offices(run: str, head: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields OFFICES branches of the organisation `head` as (id, JSON)."""
    for number in range(OFFICES):
        yield (
            f"office-{number:02d}-{run}",
            {"displayName": f"Office {number:02d} {run}", "parent": head},
        )
