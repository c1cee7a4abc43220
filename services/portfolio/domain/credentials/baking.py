"""Open Badges baking: a credential inside a PNG (iTXt) or an SVG (an element of its own)."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from lxml import etree

from services.platform import xml

PNG = b"\x89PNG\r\n\x1a\n"
MOST = 2_000_000  # bytes that a compressed text may unpack to
_WORDS = (b"openbadgecredential", b"openbadges")  # of version 3 and 2
_NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_ELEMENTS = (f"{{{_NAMESPACE}}}credential", "{http://openbadges.org}assertion")
# One that only names a public DTD says nothing; any other is refused by the reader.
_BARE_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[<>]*>")


class ImageUnfitError(Exception):
    """The picture is broken, or nothing may be baked into it."""


class _Chunk(NamedTuple):
    kind: bytes
    data: bytes


def is_png(content: bytes) -> bool:
    """True for what begins as a PNG."""
    return content.startswith(PNG)


def is_xml(content: bytes) -> bool:
    """True for what may be an SVG."""
    return content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def extract(image: bytes) -> str:
    """Returns what is baked into a picture, "" when nothing is; raises ImageUnfitError."""
    return _from_png(image) if is_png(image) else _from_svg(image)


def bake(image: bytes, text: str) -> tuple[bytes, str]:
    """Returns the picture with a credential (JSON or JWT) in it, and its media type.

    What was baked in before goes. Raises ImageUnfitError.
    """
    if is_png(image):
        return _into_png(image, text), "image/png"
    return _into_svg(image, text), "image/svg+xml"


def _chunks(image: bytes) -> Iterator[_Chunk]:
    place = len(PNG)
    while place < len(image):
        head = image[place : place + 8]
        if len(head) < 8:
            raise ImageUnfitError("the picture is cut off")
        size, kind = struct.unpack(">I4s", head)
        data, check = image[place + 8 : place + 8 + size], image[place + 8 + size : place + 12 + size]
        if len(check) < 4 or zlib.crc32(kind + data) != int.from_bytes(check):
            raise ImageUnfitError("the picture is broken")
        yield _Chunk(kind, data)
        if kind == b"IEND":
            return
        place += 12 + size
    raise ImageUnfitError("the picture is cut off")


def _from_png(image: bytes) -> str:
    for chunk in _chunks(image):
        if _is_badge(chunk):
            return _text_of(chunk)
    return ""


def _is_badge(chunk: _Chunk) -> bool:
    return chunk.kind in (b"iTXt", b"tEXt") and chunk.data.split(b"\0", 1)[0] in _WORDS


def _text_of(chunk: _Chunk) -> str:
    try:
        if chunk.kind == b"tEXt":
            return chunk.data.split(b"\0", 1)[1].decode("latin-1")
        flags, rest = chunk.data.split(b"\0", 1)[1][:2], chunk.data.split(b"\0", 1)[1][2:]
        text = rest.split(b"\0", 2)[2]
        return (_inflated(text) if flags[0] else text).decode()
    except (IndexError, ValueError, zlib.error) as error:
        raise ImageUnfitError("what is baked in is broken") from error


def _inflated(data: bytes) -> bytes:
    inflating = zlib.decompressobj()
    text = inflating.decompress(data, MOST)
    if inflating.unconsumed_tail:
        raise ImageUnfitError("what is baked in is too large")
    return text


def _into_png(image: bytes, text: str) -> bytes:
    kept = [chunk for chunk in _chunks(image) if not _is_badge(chunk)]
    badge = _Chunk(b"iTXt", _WORDS[0] + b"\0\0\0\0\0" + text.encode())
    return PNG + b"".join(_written(chunk) for chunk in (*kept[:-1], badge, kept[-1]))


def _written(chunk: _Chunk) -> bytes:
    check = zlib.crc32(chunk.kind + chunk.data).to_bytes(4)
    return struct.pack(">I", len(chunk.data)) + chunk.kind + chunk.data + check


def _root(image: bytes) -> Any:
    root: Any = None
    try:
        for _, element in xml.events([_BARE_DOCTYPE.sub(b"", image, count=1)], ("start",)):
            root = element if root is None else root
    except (etree.XMLSyntaxError, xml.DoctypeError, xml.PrologError) as error:
        raise ImageUnfitError("the picture is no SVG that is read here") from error
    if root is None or etree.QName(root).localname != "svg":
        raise ImageUnfitError("the picture is no SVG")
    return root


def _from_svg(image: bytes) -> str:
    for element in _root(image).iter(*_ELEMENTS):
        return str(element.get("verify") or element.text or "").strip()
    return ""


def _into_svg(image: bytes, text: str) -> bytes:
    root = _root(image)
    for element in list(root.iter(*_ELEMENTS)):
        element.getparent().remove(element)
    badge = etree.Element(_ELEMENTS[0], nsmap={"openbadges": _NAMESPACE})
    if text.startswith("{"):
        badge.text = text
    else:
        badge.set("verify", text)
    root.insert(0, badge)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
