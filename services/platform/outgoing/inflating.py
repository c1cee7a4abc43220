"""Bodies as they are meant: unpacked piece by piece, and stopped when they grow too much."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_PIECE = 1 << 16  # bytes unpacked at once
_FREE = 1 << 20  # bytes unpacked before the ratio counts: small texts may repeat themselves
_GZIP = 16 + zlib.MAX_WBITS


class BodyError(Exception):
    """A body that is not taken, by its code: TOO_LARGE, BOMB, ENCODING_UNKNOWN, TRUNCATED."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Inflated:
    """One body with its content encoding; `size` bytes at most, `ratio` for each byte that came."""

    def __init__(self, encoding: str, size: int, ratio: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise BodyError("ENCODING_UNKNOWN")
        self._member = zlib.decompressobj(_GZIP) if encoding.endswith("gzip") else None
        self._size, self._ratio = size, ratio
        self._came = self._went = 0

    def plain(self, part: bytes) -> Iterator[bytes]:
        """Yields what the next bytes mean; raises BodyError."""
        self._came += len(part)
        if self._member is None:
            yield self._counted(part)
            return
        while part:
            if self._member.eof:  # one member may follow another
                self._member = zlib.decompressobj(_GZIP)
            try:
                found = self._member.decompress(part, _PIECE)
            except zlib.error:
                raise BodyError("TRUNCATED") from None
            part = self._member.unconsumed_tail or self._member.unused_data
            yield self._counted(found)

    def end(self) -> None:
        """Says that nothing more comes; raises BodyError when something is missing."""
        if self._member is not None and self._came and not self._member.eof:
            raise BodyError("TRUNCATED")

    def _counted(self, found: bytes) -> bytes:
        self._went += len(found)
        if self._went > self._size:
            raise BodyError("TOO_LARGE")
        if self._member is not None and self._went > max(_FREE, self._came * self._ratio):
            raise BodyError("BOMB")
        return found
