"""The file of an allocation: CSV in UTF-8 with a header, `learner` and perhaps `amount`. Read as a stream."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

MOST = 200_000  # rows
_LEARNER = re.compile(r"(?:learners/)?([0-9A-Za-z._-]{1,64})", re.ASCII)
_AMOUNT = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?", re.ASCII)
_SHOWN = 80  # characters of a column's name


class FileRow(NamedTuple):
    """One row: its line, the learner's resource name, what training may cost in cents (None: face value), and
    what is wrong with it, empty when nothing is. What is no id could be a name, so it is not kept."""

    line: int
    learner: str
    price: int | None
    problem: str


def read(stream: BinaryIO) -> Iterator[FileRow]:
    """Yields the rows. Raises Refusal(ALLOCATION_FILE_INVALID) for what is no such file as a whole."""
    reader = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", newline=""), strict=True)
    seen: dict[str, int] = {}
    try:
        columns = _columns(next(reader, []))
        for count, values in enumerate(reader, 1):
            if count > MOST:
                raise _invalid(f"There are more than {MOST} rows. Split the file.")
            if any(values):
                yield _row(reader.line_num, values, columns, seen)
    except UnicodeDecodeError:
        raise _invalid(f"After line {reader.line_num} the file is not UTF-8. Save it as UTF-8.") from None
    except csv.Error as error:
        raise _invalid(f"Line {reader.line_num} is no CSV: {error}. Close every quote.") from None


def _columns(header: Sequence[str]) -> list[str]:
    names = [name.strip().lower() for name in header]
    if "learner" not in names:
        raise _invalid("Line 1 must name the columns, and `learner` among them.")
    unknown = [name for name in names if name not in ("learner", "amount")]
    if unknown or len(set(names)) != len(names):
        said = ", ".join(f"`{name[:_SHOWN]}`" for name in unknown or names)
        raise _invalid(f"Line 1 may name `learner` and `amount`, each once; it has {said}.")
    return names


def _row(line: int, values: Sequence[str], columns: Sequence[str], seen: dict[str, int]) -> FileRow:
    if len(values) != len(columns):
        problem = f"The row has {len(values)} values, the header {len(columns)}."
        return FileRow(line, "", None, problem)
    given: dict[str, Any] = dict(zip(columns, (value.strip() for value in values), strict=True))
    found = _LEARNER.fullmatch(given["learner"])
    if found is None:
        problem = "`learner` must be an id of letters, digits, `.`, `_` and `-`, or `learners/` before it."
        return FileRow(line, "", None, problem)
    learner = f"learners/{found[1]}"
    if learner in seen:
        return FileRow(line, learner, None, f"Line {seen[learner]} names the same person.")
    seen[learner] = line
    amount = given.get("amount", "")
    price = cents(amount)
    if amount and not price:
        return FileRow(line, learner, None, "`amount` must be more than zero, such as 100 or 99.50.")
    return FileRow(line, learner, price, "")


def cents(amount: str) -> int | None:
    """Returns `100`, `99.5` or `99,50` in cents; None for anything else."""
    found = _AMOUNT.fullmatch(amount)
    if found is None:
        return None
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _invalid(explanation: str) -> Refusal:
    return Refusal(reason_pb2.REASON_ALLOCATION_FILE_INVALID, explanation)
