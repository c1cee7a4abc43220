"""XML from outside, made safe to parse: no document type, no entities, no network.

A document type is refused before its root has content. Later would be too late: libxml2 frees the nodes of a
broken entity that lxml has made elements of by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from lxml import etree

MAX_PROLOG = 64 << 10  # bytes before the end of the root's start tag
_DETECTED = 4  # bytes that the parser needs at once to find out the encoding
Kind = Literal["start", "end"]


class DoctypeError(Exception):
    """The document declares a document type."""


class PrologError(Exception):
    """The root element does not begin within MAX_PROLOG bytes."""


def events(
    chunks: Iterable[bytes], kinds: tuple[Kind, ...], tag: tuple[str, ...] | None = None
) -> Iterator[tuple[Kind, Any]]:
    """Yields events of a document and their elements, as its bytes come; `tag`: only of these elements.

    Raises DoctypeError, PrologError, and etree.XMLSyntaxError for what is broken or cut off.
    """
    reading = parser(kinds, tag)
    for piece in pieces(chunks):
        reading.feed(piece)
        yield from reading.read_events()
    reading.close()


def parser(kinds: tuple[Kind, ...], tag: tuple[str, ...] | None = None) -> Any:
    """Returns a pull parser for pieces of `pieces`; depth and length of texts are capped by libxml2."""
    return etree.XMLPullParser(
        kinds, tag=tag, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )


def pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the bytes of a document in the pieces in which a parser must be fed with them.

    Up to the root they are single bytes, so that nothing behind its start tag is parsed before this has
    looked. Raises DoctypeError, PrologError, and etree.XMLSyntaxError for what is broken up to there.
    """
    probe, rest, size = parser(("start",)), iter(chunks), 0
    for chunk in rest:
        place = 0
        while place < len(chunk):
            piece = chunk[place : place + (1 if size else _DETECTED)]
            place, size = place + len(piece), size + len(piece)
            if size > MAX_PROLOG:
                raise PrologError
            probe.feed(piece)
            root = next(iter(probe.read_events()), None)
            if root is not None and root[1].getroottree().docinfo.internalDTD is not None:
                raise DoctypeError
            yield piece
            if root is not None:
                yield chunk[place:]
                yield from rest
                return
