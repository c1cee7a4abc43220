"""Resource names ↔ ids. A name that cannot exist is one that does not."""

from __future__ import annotations

import re
import uuid

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

_CANONICAL = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def uuid_if_any(name: str, collection: str) -> str | None:
    """Returns the UUID in `<collection>/<uuid>`; None for anything else."""
    head, _, tail = name.rpartition("/")
    if head.rpartition("/")[2] == collection:
        if _CANONICAL.fullmatch(tail):
            return tail
        try:
            return str(uuid.UUID(tail))
        except ValueError:
            pass
    return None


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
