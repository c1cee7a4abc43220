"""Resource names ↔ ids. A name that cannot exist is one that does not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

_CANONICAL = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def uuid_if_any(name: str, collection: str) -> str | None:
    """Returns the UUID in `<collection>/<uuid>`; None for anything else.

    One spelling only, the one we give out: else a list could name the same thing twice, and money be booked
    under a name that nobody looks for.
    """
    head, _, tail = name.rpartition("/")
    return tail if head.rpartition("/")[2] == collection and _CANONICAL.fullmatch(tail) else None


def ids_among(texts: Iterable[str]) -> list[str]:
    """Returns those of some texts that are UUIDs as we write them."""
    return [each for each in texts if _CANONICAL.fullmatch(each)]


def uuid_in(name: str, collection: str) -> str:
    """Returns the UUID in `<collection>/<uuid>`; raises Refusal(NOT_FOUND) for anything else."""
    found = uuid_if_any(name, collection)
    if found is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return found


def uuid_above(name: str, collection: str) -> str:
    """Returns the UUID in `<collection>/<uuid>/<part>`; raises Refusal(NOT_FOUND) for anything else."""
    return uuid_in(name.rpartition("/")[0], collection)


def last(name: str) -> str:
    """Returns what follows the last slash."""
    return name.rpartition("/")[2]


def version_parts(name: str) -> tuple[str, int]:
    """Returns id and number in `<collection>/{id}/versions/{n}`."""
    _, key, _, number = name.split("/")
    return key, int(number)
