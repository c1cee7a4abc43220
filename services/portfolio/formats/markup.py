"""Documents in XML: whole, as they are small, and parsed as what comes from outside."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import IO, Any

from lxml import etree

from services.platform import xml
from services.portfolio.formats.format import DocumentBrokenError

_CHUNK = 1 << 16
# Of a document with its nodes in memory; a portfolio of 2000 entries has a quarter of it.
MAX_BYTES = 8 << 20
MAX_ELEMENTS = 200_000


def root_of(file: IO[bytes]) -> Any:
    """Returns the root element of a document; raises DocumentBrokenError."""
    root, count = None, 0
    try:
        for count, (_, element) in enumerate(xml.events(_chunks(file), ("start",)), 1):
            root = element if root is None else root
            if count > MAX_ELEMENTS:
                raise DocumentBrokenError(f"more than {MAX_ELEMENTS} elements")
    except (xml.DoctypeError, xml.PrologError) as error:
        raise DocumentBrokenError("a document type, or too much before the root") from error
    except etree.XMLSyntaxError as error:
        raise DocumentBrokenError("broken XML") from error
    if root is None:
        raise DocumentBrokenError("no element")
    return root


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in iter(partial(file.read, _CHUNK), b""):
        size += len(chunk)
        if size > MAX_BYTES:
            raise DocumentBrokenError(f"more than {MAX_BYTES} bytes")
        yield chunk


def local(element: Any) -> str:
    """Returns the name of an element without its namespace; "" for a comment or instruction."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""
