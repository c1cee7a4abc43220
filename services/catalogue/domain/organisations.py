"""Organisations: a tree without loops that can be read at once, and what is told of where they train."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.labels import normal
from services.platform.errors import Refusal

DEEPEST = 8  # levels
MOST_ADDRESSES = 100  # told of one organisation


def check_place(organisation: str, above: Sequence[str], height: int) -> None:
    """Raises Refusal(ORGANISATION_LOOP) when an organisation may not be put there.

    `above`: ids of the new parent and of all above it; `height`: levels of the organisation's own tree,
    itself among them.
    """
    if organisation in above:
        raise Refusal(reason_pb2.REASON_ORGANISATION_LOOP, metadata={"parent": f"organisations/{above[0]}"})
    if len(above) + height > DEEPEST:
        raise Refusal(reason_pb2.REASON_ORGANISATION_LOOP, metadata={"levels": str(len(above) + height)})


def address_digests(addresses: Iterable[tuple[str, str]]) -> list[str]:
    """Returns what others are told of addresses, (street, postal code): SHA-256, hex, each once and in order,
    at most MOST_ADDRESSES. Two ways to write one address have one; without either there is none."""
    known = {(normal(street), normal(code)) for street, code in addresses}
    written = (f"{street} {code}" for street, code in known if street and code)
    return sorted(hashlib.sha256(each.encode()).hexdigest() for each in written)[:MOST_ADDRESSES]
