"""Uploads in parts: each is an object of its own until the whole is checked, so that any store will do, none
loses them when it starts anew, and the sweep finds what was given up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from services.platform.objects.streams import ObjectStream

PART_BYTES = 32 * 1024 * 1024


class Part(NamedTuple):
    """A part of a file: number from 1 on, offset and size in bytes."""

    number: int
    offset: int
    size: int


def parts_of(size: int) -> list[Part]:
    """Returns the parts that a file of `size` bytes goes in."""
    starts = range(0, size, PART_BYTES)
    return [
        Part(number, start, min(PART_BYTES, size - start)) for number, start in enumerate(starts, start=1)
    ]


class Joined:
    """One stream of several that are opened one after the other, each when the one before is read."""

    def __init__(self, opened: Iterable[Callable[[], ObjectStream]]) -> None:
        self._rest = iter(opened)
        self._open: ObjectStream | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Returns at most `size` bytes, none at the end."""
        while self._open or self._next():
            assert self._open
            if chunk := self._open.read(size):
                return chunk
            self.close()
        return b""

    def close(self) -> None:
        """Closes what is open."""
        if self._open:
            self._open.close()
            self._open = None

    def release_conn(self) -> None:
        """Every connection was given back when its stream was closed."""

    def _next(self) -> bool:
        opening = next(self._rest, None)
        if opening:
            self._open = opening()
        return opening is not None
