"""How courses are written, whatever the format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from services.catalogue.domain.courses import Document


class Writer(Protocol):
    """Writes one file: its head, each course as it comes, what is left at the end."""

    def head(self) -> bytes:
        """Returns what stands before the courses."""

    def course(self, row: Any) -> bytes:
        """Returns a course of the table of courses, as it is served."""

    def tail(self) -> Iterator[bytes]:
        """Yields what stands behind the courses."""


class Lines:
    """A format in which each course stands for itself."""

    def __init__(self, head: bytes, write: Callable[[str, Document], bytes]) -> None:
        self._head, self._write = head, write

    def head(self) -> bytes:
        """Returns the first line, where there is one."""
        return self._head

    def course(self, row: Any) -> bytes:
        """Returns the lines of a course."""
        return self._write(row.external_id, row.document)

    def tail(self) -> Iterator[bytes]:
        """Yields nothing."""
        yield from ()
