"""Tables of our own as CSV: read as a stream, line by line, and refused as a whole with all that is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from services.platform.errors import Refusal, Violation

MAX_VIOLATIONS = 50


class Limits(NamedTuple):
    """How large a file may be."""

    rows: int
    bytes: int


class Problems:
    """Collects what is wrong by line and column; `check` refuses the file for `reason` as a whole."""

    def __init__(self, reason: int) -> None:
        self._reason = reason
        self._violations: list[Violation] = []

    def add(self, line: int, column: str, what: str) -> None:
        """Notes what is wrong in a line; with line 0, with the file."""
        if len(self._violations) < MAX_VIOLATIONS:
            self._violations.append(Violation(f"line {line}, {column}" if line else "file", what))

    def check(self) -> None:
        """Raises Refusal when anything is wrong."""
        if self._violations:
            raise Refusal(self._reason, violations=self._violations)


def rows(
    stream: BinaryIO, columns: Sequence[str], limits: Limits, problems: Problems
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields (line, row) of a UTF-8 CSV file within `limits` with at least these columns;
    notes what is wrong and goes on where it can."""
    buffered = io.BufferedReader(_Capped(stream, limits.bytes), 65536)
    reader = csv.reader(io.TextIOWrapper(buffered, "utf-8-sig", newline=""), strict=True)
    try:
        header = next(reader, [])
        missing = [column for column in columns if column not in header]
        if missing:
            problems.add(1, "header", f"lacks {', '.join(missing)}")
            return
        for count, values in enumerate(filter(None, reader)):  # lines with nothing on them aside
            if count >= limits.rows:
                problems.add(reader.line_num, "row", f"is beyond the {limits.rows} rows a file may have")
                return
            if len(values) != len(header):
                problems.add(reader.line_num, "row", "has more or fewer values than the header")
                continue
            if _has_nul(values):
                problems.add(reader.line_num, "row", "holds a NUL character; save the file as UTF-8 text")
                continue
            yield reader.line_num, dict(zip(header, values, strict=True))
    except csv.Error as error:
        problems.add(reader.line_num, "row", f"is no CSV: {error}")
    except UnicodeDecodeError:
        problems.add(reader.line_num + 1, "encoding", "this line or one soon after is not UTF-8")
    except _TooLarge:
        problems.add(0, "", f"is larger than {limits.bytes >> 20} MiB")


class _TooLarge(Exception):
    pass


class _Capped(io.RawIOBase):
    """A stream that breaks off beyond a number of bytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._left = stream, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise _TooLarge
        buffer[: len(data)] = data
        return len(data)


def _has_nul(values: list[str]) -> bool:
    """Tells whether a value holds the one character that no text of the database holds."""
    return "\0" in "".join(values)
