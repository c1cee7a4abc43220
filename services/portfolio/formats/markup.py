"""Documents in XML: whole, as they are small, and parsed as what comes from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import IO, Any

from lxml import etree

from services.platform import xml
from services.portfolio.formats.format import DocumentBrokenError
from services.portfolio.formats.trees import refuse_many

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


class Said(dict[str, Any]):
    """An element as an object."""

    def __init__(self, element: Any, said: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(said)
        self.element = element


class Text(str):
    """An element as a text."""

    __slots__ = ("element",)
    element: Any


def tree_of(element: Any, wrapping: str = "") -> Any:
    """Returns an element as JSON has it: a text, or an object of its attributes and what is in it, by names
    without namespaces. `wrapping`: how the name of an element ends that only wraps the items of a list,
    which is a list also where it has one."""
    below = [each for each in element if isinstance(each.tag, str)]
    tree = Said(element, ((etree.QName(key).localname, value) for key, value in element.attrib.items()))
    if not below and not tree:
        text = Text("".join(_texts(element)))
        text.element = element
        return text
    if said := "".join(_texts(element)).strip():
        tree["text"] = said
    refuse_many(len(below))
    for each in below:
        name, value = local(each), tree_of(each, wrapping)
        one = name.removesuffix(wrapping)
        if one != name and isinstance(value, dict) and set(value) == {one}:
            name, value = one, _listed(value[one])
        tree[name] = value if name not in tree else [*_listed(tree[name]), *_listed(value)]
    return tree


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(element: Any) -> Iterator[str]:
    """Yields the texts of an element itself, without those of comments in it."""
    yield element.text or ""
    for each in element:
        yield each.tail or ""
