"""Records of an XML feed, cut out one at a time.

Document types, entities and network access are off, depth and text length are capped by libxml2, record size
by `Bounded`, and how many elements a record has here: the smallest takes thirty times its bytes in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from services.catalogue.imports.feed import MAX_VALUES, Bounded, FeedBroken, marks
from services.platform import xml


class XmlReader:
    """What readers share whose records are kept as XML."""

    def holds(self, raw: bytes, /) -> int:
        """Returns how many values a record holds, see `FeedReader`."""
        return marks(raw)


def elements(
    stream: Bounded, roots: tuple[str, ...], wanted: tuple[str, ...], wrong: Callable[[str], FeedBroken]
) -> Iterator[Any]:
    """Yields each element with a tag in `wanted` when it has ended; give a record to `forget` when done.

    `wrong` makes the error for a file whose first known element is none of `roots`; it is given that
    element's tag, or "". Raises it, and FeedBroken for a document type and what is not well-formed.
    """
    root_seen = False
    try:
        for event, element in xml.events(_counted(stream), ("start", "end"), (*roots, *wanted)):
            if not root_seen:
                root_seen = True
                if element.tag not in roots:
                    raise wrong(element.tag)
            if event == "end" and element.tag in wanted:
                yield element
    except xml.DoctypeError as error:
        raise FeedBroken(
            "DTD_FORBIDDEN",
            1,
            "The file declares a document type.",
            "Remove the DOCTYPE and its entities.",
        ) from error
    except xml.PrologError as error:
        raise wrong("") from error
    except etree.XMLSyntaxError as error:
        raise FeedBroken(
            "XML_INVALID",
            error.lineno or 0,
            "The file is not well-formed, is cut off, or is not in the encoding it says.",
            "Produce the file again and check it with an XML tool before uploading.",
            (error.msg or "")[:200],
        ) from error
    if not root_seen:
        raise wrong("")


def _counted(stream: Bounded) -> Iterator[bytes]:
    """Yields the bytes of a file; raises FeedBroken when a record has too many elements, before they are
    made."""
    while piece := stream.read():
        if stream.counted(marks(piece)) > MAX_VALUES:
            raise FeedBroken(
                "XML_TOO_MANY_ELEMENTS",
                0,
                f"One record has more than {MAX_VALUES} elements and attributes.",
                "Send one record per course; leave out fields that hold no information.",
            )
        yield piece


def forget(element: Any) -> None:
    """Takes what is finished before this one out of the tree, providers too; who still holds one keeps it."""
    for each in (element, *element.iterancestors()):
        parent = each.getparent()
        while parent is not None and each.getprevious() is not None:  # comments precede the root too
            del parent[0]


def text_of(element: Any, path: str) -> str:
    """Returns the text at `path` below an element, without space around it; "" when there is none."""
    return (element.findtext(path) or "").strip()
