"""How long a film is, by the headers of MP4 (ISO/IEC 14496-12) and WebM (RFC 8794, RFC 9559): nothing is
decoded, and however a file is made up, few bytes of it are read."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import NamedTuple

MOST_PARTS = 200  # boxes or elements looked at in a file
LONGEST = 3600  # seconds of a film
ReadAt = Callable[[int, int], bytes]  # (offset, count) → the bytes there, fewer at the end of the file

_MVHD = 32  # bytes of a movie header that are read
_EBML, _SEGMENT, _INFO, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1F43B675
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_DEFAULT_SCALE = 1_000_000  # nanoseconds of a tick
_NUMBER = 8  # bytes of a number, at most


class FilmBrokenError(ValueError):
    """The file is no film of its type, or a broken one; says what, and nothing out of the file."""


class _Part(NamedTuple):
    """A box or element: what it is, and where its content begins and ends (`end` None: nobody said)."""

    kind: int
    start: int
    end: int | None


def duration(content_type: str, size: int, read_at: ReadAt) -> float | None:
    """Returns the seconds that a film of `size` bytes says it takes.

    None where it does not say, as recordings made in a browser do not, and for what is no film. Raises
    FilmBrokenError.
    """
    if content_type == "video/mp4":
        seconds = _Mp4(size, read_at).seconds()
    elif content_type == "video/webm":
        seconds = _WebM(size, read_at).seconds()
    else:
        return None
    if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
        raise FilmBrokenError("a length that is no length")
    return seconds or None


class _Reader:
    """Reads parts of a file, not more than MOST_PARTS."""

    def __init__(self, size: int, read_at: ReadAt) -> None:
        self.size = size
        self._read_at = read_at
        self._left = MOST_PARTS

    def bytes(self, offset: int, count: int) -> bytes:
        """Returns exactly so many bytes."""
        found = self._read_at(offset, count) if offset + count <= self.size else b""
        if len(found) != count:
            raise FilmBrokenError("cut short")
        return found

    def count(self) -> None:
        """Counts one part more."""
        self._left -= 1
        if self._left < 0:
            raise FilmBrokenError(f"more than {MOST_PARTS} parts before what tells the length")


class _Mp4(_Reader):
    def seconds(self) -> float | None:
        """Returns what the movie header says."""
        movie = self._box(b"moov", 0, self.size)
        header = self._box(b"mvhd", *movie)
        content = self.bytes(header[0], min(_MVHD, header[1] - header[0]))
        try:
            if content[0] == 1:
                scale, ticks = struct.unpack_from(">IQ", content, 20)
                unknown = 2**64 - 1
            else:
                scale, ticks = struct.unpack_from(">II", content, 12)
                unknown = 2**32 - 1
        except (struct.error, IndexError):
            raise FilmBrokenError("a movie header cut short") from None
        if not scale:
            raise FilmBrokenError("a length in units of nothing")
        return None if ticks == unknown else ticks / scale

    def _box(self, kind: bytes, start: int, end: int) -> tuple[int, int]:
        """Returns where the content of the first such box begins and ends."""
        while start < end:
            self.count()
            length, found = struct.unpack(">I4s", self.bytes(start, 8))
            head = 8
            if length == 1:
                (length,) = struct.unpack(">Q", self.bytes(start + 8, 8))
                head = 16
            stop = end if length == 0 else start + length
            if stop < start + head or stop > end:
                raise FilmBrokenError("a box that is not within another")
            if found == kind:
                return start + head, stop
            start = stop
        raise FilmBrokenError(f"no box {kind.decode()}")


class _WebM(_Reader):
    def seconds(self) -> float | None:
        """Returns what the segment's information says."""
        head = self._part(0, self.size)
        if head.kind != _EBML or head.end is None:
            raise FilmBrokenError("no EBML header")
        segment = self._part(head.end, self.size)
        if segment.kind != _SEGMENT:
            raise FilmBrokenError("no segment")
        info = self._info(segment.start, segment.end or self.size)
        return self._told(info) if info else None

    def _info(self, start: int, end: int) -> _Part | None:
        while start < end:
            part = self._part(start, end)
            if part.kind == _INFO:
                return part
            if part.kind == _CLUSTER or part.end is None:
                return None  # it comes before the pictures or not at all
            start = part.end
        raise FilmBrokenError("no information about the segment")

    def _told(self, info: _Part) -> float | None:
        scale, ticks = _DEFAULT_SCALE, None
        start, end = info.start, info.end or self.size
        while start < end:
            part = self._part(start, end)
            if part.end is None:
                raise FilmBrokenError("an element without an end")
            if part.kind in (_SCALE, _DURATION):
                content = self.bytes(part.start, min(part.end - part.start, _NUMBER + 1))
                if part.kind == _SCALE:
                    scale = int.from_bytes(content[:_NUMBER], "big")
                else:
                    ticks = _float(content)
            start = part.end
        if not scale:
            raise FilmBrokenError("a length in units of nothing")
        return None if ticks is None else ticks * scale / 1e9

    def _part(self, offset: int, end: int) -> _Part:
        self.count()
        width = _width(self.bytes(offset, 1)[0], 4)
        kind = int.from_bytes(self.bytes(offset, width), "big")
        offset += width
        width = _width(self.bytes(offset, 1)[0], 8)
        length = int.from_bytes(self.bytes(offset, width), "big") & ((1 << 7 * width) - 1)
        start = offset + width
        if length == (1 << 7 * width) - 1:
            return _Part(kind, start, None)
        if start + length > end:
            raise FilmBrokenError("an element that is not within another")
        return _Part(kind, start, start + length)


def _width(first: int, most: int) -> int:
    """Returns how many bytes a number has, as its first byte tells."""
    width = 9 - first.bit_length()
    if width > most:
        raise FilmBrokenError("a number that is too wide")
    return width


def _float(content: bytes) -> float:
    form = {4: ">f", 8: ">d"}.get(len(content))
    if form is None:
        raise FilmBrokenError("a length of odd width")
    found: float = struct.unpack(form, content)[0]
    return found
