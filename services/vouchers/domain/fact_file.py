"""The file of facts: a CSV row for each. What is wrong with a row is told without what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeVar

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Violation
from services.vouchers.domain.facts import CATALOGUE, Fact, Source, Told, check, day_of, written_value
from services.vouchers.domain.row_files import LEARNER_PROBLEM, FileRow, Form, learner_of

FORM = Form(
    ("learner", "key", "value", "source"),
    ("observed_date", "valid_until"),
    1_000_000,
    reason_pb2.REASON_LEARNER_FACT_FILE_INVALID,
)
_KEYS = f"must be one of {', '.join(CATALOGUE)}"
_SOURCES = f"must be one of {', '.join(source.name for source in Source)}"
T = TypeVar("T")


def read(row: FileRow, today: date) -> Told | list[Violation]:
    """Returns the fact of a row, or what is wrong with it by column. `today`: when it was observed, unless it
    names a day."""
    if row.problem:
        return [Violation("", row.problem)]
    cells = _Cells(row.values)
    learner = cells.read("learner", _learner)
    key = cells.read("key", _key)
    value = cells.read("value", lambda written: written_value(key, written)) if key else None
    source = cells.read("source", _source)
    observed = cells.read("observed_date", day_of) if row.values.get("observed_date") else today
    until = cells.read("valid_until", day_of) if row.values.get("valid_until") else None
    if cells.wrong or learner is None or key is None or value is None or source is None or observed is None:
        return cells.wrong
    fact = Fact(key, value, source, observed, until)
    if wrong := check(fact, ""):
        return [Violation(each.field.removeprefix("."), each.description) for each in wrong]
    return Told(learner, fact)


class _Cells:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.wrong: list[Violation] = []

    def read(self, column: str, reading: Callable[[str], T]) -> T | None:
        """Returns what a cell says; None, and a note in `wrong`, where it says nothing that fits."""
        try:
            return reading(self._values[column])
        except ValueError as error:
            self.wrong.append(Violation(column, str(error)))
            return None


def _learner(written: str) -> str:
    learner = learner_of(written)
    if learner is None:
        raise ValueError(LEARNER_PROBLEM)
    return learner


def _key(written: str) -> str:
    if written not in CATALOGUE:
        raise ValueError(_KEYS)
    return written


def _source(written: str) -> Source:
    if written not in Source.__members__:
        raise ValueError(_SOURCES)
    return Source[written]
