"""Objects of a JSON feed, cut out one at a time: one array, one object, a graph or list within one, or an
object a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import ijson

from services.catalogue.imports.feed import Bounded, FeedBroken

MAX_DEPTH = 64  # of a record; recursion stays within it
BOM = b"\xef\xbb\xbf"
Events = Iterator[tuple[str, Any]]


def cut(stream: Bounded, containers: frozenset[str]) -> Iterator[tuple[Any, Any]]:
    """Yields each record of the file, as it ends, with the `@context` that stood before it or None.

    An object with an array in one of its fields `containers` stands for the values of that array. Numbers
    with a fraction are Decimal. Raises FeedBroken for what is no JSON, cut off, no UTF-8 or nested too deep.
    """
    try:
        chunks = iter(lambda: stream.read(65536), b"")
        first = next(chunks, b"").removeprefix(BOM)
        if not first.strip():
            first += next(chunks, b"")
        events = ijson.basic_parse(ijson.from_iter(chain((first,), chunks)), multiple_values=True)
        yield from _top(iter(events), containers)
    except (ijson.JSONError, ValueError, ArithmeticError, SystemError) as error:
        # The last three: a number of too many digits, of which the parser makes one of them.
        raise FeedBroken(
            "JSON_INVALID",
            0,
            "The file is no JSON, is cut off, or is not UTF-8.",
            "Produce the file again and check it with a JSON tool before uploading.",
            " ".join(str(error).split())[:200],
        ) from error


def _top(events: Events, containers: frozenset[str]) -> Iterator[tuple[Any, Any]]:
    for event, value in events:
        if event == "start_array":
            yield from _items(events, None)
        elif event == "start_map":
            yield from _object(events, containers)
        else:
            yield value, None


def _items(events: Events, context: Any) -> Iterator[tuple[Any, Any]]:
    for event, value in events:
        if event == "end_array":
            return
        yield _value(event, value, events, 1), context


def _object(events: Events, containers: frozenset[str]) -> Iterator[tuple[Any, Any]]:
    """The object itself, or what is in its containers; then only the context is of use beside them."""
    found: dict[str, Any] = {}
    contains = False
    for event, name in events:
        if event == "end_map":
            break
        kind, value = next(events)
        if kind == "start_array" and name in containers:
            contains = True
            yield from _items(events, found.get("@context"))
            continue
        read = _value(kind, value, events, 1)
        if not contains or name == "@context":
            found[name] = read
    if not contains:
        yield found, None


def _value(event: str, value: Any, events: Events, depth: int) -> Any:
    """The value that begins with an event."""
    if depth > MAX_DEPTH:
        raise FeedBroken(
            "JSON_TOO_DEEP",
            0,
            f"Objects and arrays are nested more than {MAX_DEPTH} deep.",
            "Write each course with its sessions, places and offers, and nothing below them.",
        )
    if event == "start_map":
        return {
            name: _value(*next(events), events, depth + 1)
            for _, name in iter(lambda: next(events), ("end_map", None))
        }
    if event == "start_array":
        items = iter(lambda: next(events), ("end_array", None))
        return [_value(kind, item, events, depth + 1) for kind, item in items]
    return value
