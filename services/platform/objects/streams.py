"""Streams that count and hash what passes through them, so that no file is ever held in memory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol, cast

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.objects.sniff import HEAD

CHUNK = 256 * 1024  # bytes; a quarter as many changes between store and caller as with 64 KiB


class Readable(Protocol):
    """Anything with `read(n)`."""

    def read(self, size: int = -1, /) -> bytes:
        """Returns at most `size` bytes, none at the end."""


class Response(Readable, Protocol):
    """A stream that holds a connection."""

    def close(self) -> None:
        """Reads no more."""

    def release_conn(self) -> None:
        """Gives the connection back."""


class Measured:
    """Reads through to `source`; afterwards `size`, `sha256` and the `head` of what passed are known."""

    def __init__(self, source: Readable | BinaryIO, exactly: int | None = None) -> None:
        self._source = source
        self._exactly = exactly
        self._hash = hashlib.sha256()
        self.size = 0
        self.head = b""

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes so far, hex."""
        return self._hash.hexdigest()

    def read(self, size: int = -1, /) -> bytes:
        """Reads on; raises Refusal(UPLOAD_MISMATCH) for more bytes than there must be, or fewer."""
        chunk = self._source.read(size)
        self._hash.update(chunk)
        self.size += len(chunk)
        if len(self.head) < HEAD:
            self.head += chunk[: HEAD - len(self.head)]
        wanted = self.size if self._exactly is None else self._exactly
        if self.size > wanted or (not chunk and self.size < wanted):
            raise Refusal(reason_pb2.REASON_UPLOAD_MISMATCH, metadata={"field": "size"})
        return chunk

    def drain(self) -> None:
        """Reads to the end, keeping nothing."""
        while self.read(CHUNK):
            pass


class ObjectStream:
    """An open object: `read(n)`, iteration over chunks, and `close()`; a context manager.

    With an expected SHA-256 the end of the stream is reached only by the right bytes: wrong ones raise
    Refusal(INTERNAL) there, before the reader can take them for whole.
    """

    def __init__(self, response: Response, sha256: str = "") -> None:
        self._measured = Measured(response)
        self._response = response
        self._sha256 = sha256

    def read(self, size: int = -1, /) -> bytes:
        """Returns at most `size` bytes, none at the end; raises Refusal(INTERNAL) for altered bytes."""
        chunk = self._measured.read(size if size >= 0 else None)  # type: ignore[arg-type]  # urllib3's "all"
        if (not chunk or size < 0) and self._sha256 and self._measured.sha256 != self._sha256:
            raise Refusal(reason_pb2.REASON_INTERNAL, metadata={"field": "sha256"})
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(CHUNK):
            yield chunk

    def close(self) -> None:
        """Gives the connection back."""
        self._response.close()
        self._response.release_conn()

    def __enter__(self) -> ObjectStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def buffered(stream: Readable) -> BinaryIO:
    """Gives a stream the shape that Python's readers of text and lines want."""
    return cast("BinaryIO", io.BufferedReader(_Raw(stream), CHUNK))


class _Raw(io.RawIOBase):
    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
