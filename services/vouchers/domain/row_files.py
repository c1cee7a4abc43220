"""CSV files of many rows, read as a stream, from the start or from where an earlier reading stopped.

Values are separated by commas, or by semicolons, as spreadsheets write them where the comma is for decimals.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import BinaryIO, NamedTuple, TypeVar

from services.platform.errors import Refusal

LEARNER_PROBLEM = "must be an id of letters, digits, `.`, `_` and `-`, or `learners/` before it"
_LEARNER = re.compile(r"(?:learners/)?([0-9A-Za-z._-]{1,64})", re.ASCII)
T = TypeVar("T")
_SHOWN = 80  # characters of a column's name


class Form(NamedTuple):
    """What a file must look like: the columns it must have and may have, how many rows at most, and for which
    reason one that does not is refused."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    most: int
    reason: int

    def refusal(self, explanation: str) -> Refusal:
        """Returns what says that a file is none of this form."""
        return Refusal(self.reason, explanation)


class Place(NamedTuple):
    """Where the next row begins: bytes, lines and rows before it, the columns and what parts them."""

    offset: int = 0
    line: int = 0
    rows: int = 0
    columns: Sequence[str] = ()
    separator: str = ","


class FileRow(NamedTuple):
    """A row: its last line, its values by column, blanks around them removed, and what is wrong with it as a
    whole; empty when nothing is."""

    line: int
    values: Mapping[str, str]
    problem: str


class Rows:
    """Iterates over the rows from `place` on, blank ones left out; `place` moves along.

    Making it, and iterating, raise Refusal for what is no such file as a whole: no UTF-8, no CSV, other
    columns, too many rows.
    """

    def __init__(self, stream: BinaryIO, form: Form, place: Place | None = None) -> None:
        """`stream` begins at the offset of `place`; without one, at the start of the file."""
        self._form = form
        self._text = io.TextIOWrapper(stream, "utf-8", newline="")
        self._offset, self._line, self._rows, self._columns, self._separator = place or Place()
        lines = self._lines()
        first = [] if self._columns else [self._next(lines) or ""]
        if first and ";" in first[0] and "," not in first[0]:
            self._separator = ";"
        self._reader = csv.reader(chain(first, lines), strict=True, delimiter=self._separator)
        if not self._columns:
            self._columns = self._header(self._next(self._reader) or ())

    @property
    def place(self) -> Place:
        """Where the next row begins."""
        return Place(self._offset, self._line, self._rows, self._columns, self._separator)

    def __iter__(self) -> Iterator[FileRow]:
        while (values := self._next(self._reader)) is not None:
            if not any(values):
                continue
            self._rows += 1
            if self._rows > self._form.most:
                raise self._form.refusal(f"There are more than {self._form.most} rows. Split the file.")
            yield self._row(values)

    def _lines(self) -> Iterator[str]:
        for line in self._text:
            self._offset += len(line.encode())
            self._line += 1
            yield line.removeprefix("\ufeff") if self._line == 1 else line

    def _next(self, source: Iterator[T]) -> T | None:
        try:
            return next(source, None)
        except UnicodeDecodeError:
            explanation = f"After line {self._line} the file is not UTF-8. Save it as UTF-8."
        except csv.Error as error:
            explanation = f"Line {self._line} is no CSV: {error}. Close every quote."
        raise self._form.refusal(explanation)

    def _header(self, header: Sequence[str]) -> list[str]:
        required, columns = self._form.required, self._form.required + self._form.optional
        names = [name.strip().lower() for name in header]
        if missing := [name for name in required if name not in names]:
            raise self._form.refusal(f"Line 1 must name the columns, and {_said(missing)} among them.")
        unknown = [name for name in names if name not in columns]
        if unknown or len(set(names)) != len(names):
            found = _said([name[:_SHOWN] for name in unknown or names])
            raise self._form.refusal(f"Line 1 may name {_said(columns)}, each once; it has {found}.")
        return names

    def _row(self, values: Sequence[str]) -> FileRow:
        if len(values) != len(self._columns):
            problem = f"The row has {len(values)} values, the header {len(self._columns)}."
            return FileRow(self._line, {}, problem)
        stripped = (value.strip() for value in values)
        return FileRow(self._line, dict(zip(self._columns, stripped, strict=True)), "")


def learner_of(written: str) -> str | None:
    """Returns the resource name that `learners/{id}` or the id says; None for anything else, which could be a
    person's name and is not kept."""
    found = _LEARNER.fullmatch(written)
    return f"learners/{found[1]}" if found else None


def _said(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
