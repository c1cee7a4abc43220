"""How large an image is, by the headers of JPEG (ITU-T T.81) and PNG (ISO/IEC 15948): nothing is decoded."""

from __future__ import annotations

import struct
from typing import NamedTuple

KINDS = {"image/jpeg": "jpg", "image/png": "png"}  # what is read here, and its short name
MOST_PARTS = 1000  # segments of a JPEG that are looked at; a colour profile takes 255 at most
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"
_SCAN, _END = 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers that say a size


class Size(NamedTuple):
    """Pixels."""

    width: int
    height: int


def size_of(content_type: str, content: bytes) -> Size | None:
    """Returns the size that an image says it has; None for a broken one, and for what is none of KINDS."""
    try:
        if content_type == "image/png" and content.startswith(_PNG):
            return _sound(Size(*struct.unpack_from(">II", content, len(_PNG))))
        if content_type == "image/jpeg" and content.startswith(b"\xff\xd8"):
            return _sound(_jpeg(content))
    except struct.error:
        pass
    return None


def _jpeg(content: bytes) -> Size:
    """Returns the largest size said before the image begins: there should be one, and which of several a
    decoder believes is its own affair. None of more than MOST_PARTS segments: a file of the smallest would
    hold up the job that everybody waits for."""
    size, at = Size(0, 0), 2
    for _ in range(MOST_PARTS):
        mark, marker = struct.unpack_from(">BB", content, at)
        if mark != 0xFF or marker in (_SCAN, _END):
            return size
        if marker == 0xFF:  # filling
            at += 1
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            size = max(size, Size(width, height), key=lambda each: each.width * each.height)
        at += 2 + max(length, 2)
    return Size(0, 0)


def _sound(size: Size) -> Size | None:
    return size if min(size) > 0 else None
