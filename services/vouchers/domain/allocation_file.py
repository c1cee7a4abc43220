"""The file of an allocation: CSV in UTF-8 with a header, `learner` and perhaps `amount`. Read as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from waymark.errors.v1 import reason_pb2

from services.vouchers.domain import row_files
from services.vouchers.domain.row_files import LEARNER_PROBLEM, FileRow, Form, learner_of

FORM = Form(("learner",), ("amount",), 200_000, reason_pb2.REASON_ALLOCATION_FILE_INVALID)
_AMOUNT = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?", re.ASCII)


class Named(NamedTuple):
    """One row: its line, the learner's resource name, what training may cost in cents (None: face value), and
    what is wrong with it, empty when nothing is."""

    line: int
    learner: str
    price: int | None
    problem: str


def read(stream: BinaryIO) -> Iterator[Named]:
    """Yields the rows. Raises Refusal(ALLOCATION_FILE_INVALID) for what is no such file as a whole."""
    seen: dict[str, int] = {}
    for row in row_files.Rows(stream, FORM):
        yield _named(row, seen)


def _named(row: FileRow, seen: dict[str, int]) -> Named:
    if row.problem:
        return Named(row.line, "", None, row.problem)
    learner = learner_of(row.values["learner"])
    if learner is None:
        return Named(row.line, "", None, f"`learner` {LEARNER_PROBLEM}.")
    if learner in seen:
        return Named(row.line, learner, None, f"Line {seen[learner]} names the same person.")
    seen[learner] = row.line
    amount = row.values.get("amount", "")
    price = cents(amount)
    if amount and not price:
        return Named(row.line, learner, None, "`amount` must be more than zero, such as 100 or 99.50.")
    return Named(row.line, learner, price, "")


def cents(amount: str) -> int | None:
    """Returns `100`, `99.5` or `99,50` in cents; None for anything else."""
    found = _AMOUNT.fullmatch(amount)
    if found is None:
        return None
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
