"""JSON of others, taken only where every reader reads the same."""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 60  # levels of JSON


class UnreadableError(ValueError):
    """No credential is found in the file."""


def parsed(text: str | bytes) -> dict[str, Any]:
    """Returns a JSON object that all readers read alike; raises UnreadableError.

    Refused: a name that stands twice, of which readers take this one or that; numbers and texts that cannot
    be kept; more than DEEPEST levels.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unambiguous, parse_constant=_refused, parse_float=_finite)
        if not isinstance(value, dict):
            raise ValueError("is no object")
        _check(value)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("is no JSON that is read here") from error
    return value


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("no reader has so large a number")
    return value


def _check(value: Any) -> None:
    """Raises ValueError for what is too deep, and for texts that cannot be kept: NUL, half a character."""
    open_ = [(value, 1)]
    while open_:
        item, level = open_.pop()
        if level > DEEPEST:
            raise ValueError("is too deep")
        if isinstance(item, dict):
            open_.extend((each, level + 1) for pair in item.items() for each in pair)
        elif isinstance(item, list):
            open_.extend((each, level + 1) for each in item)
        elif isinstance(item, str) and b"\0" in item.encode():
            raise ValueError("a text has a NUL")
