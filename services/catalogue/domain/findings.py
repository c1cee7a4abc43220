"""Findings: what is wrong in a file, where, and how to mend it."""

from __future__ import annotations

from typing import NamedTuple

INFO, WARNING, ERROR = 1, 2, 3
MAX_VALUE = 200  # characters of an offending value that are kept


class Finding(NamedTuple):
    """Something noticed while reading a file; see `waymark.catalogue.v1.Finding`."""

    code: str
    severity: int
    record: str
    line: int
    path: str
    value: str
    message: str
    remedy: str


class Findings:
    """Collects the findings of one record."""

    __slots__ = ("found", "line", "record")

    def __init__(self, record: str, line: int) -> None:
        self.record = record
        self.line = line
        self.found: list[Finding] = []

    def add(self, severity: int, code: str, path: str, value: object, message: str, remedy: str) -> None:
        """Notes a finding; the value is cut to MAX_VALUE characters."""
        shown = clean(str(value))[:MAX_VALUE]
        self.found.append(Finding(code, severity, self.record, self.line, path, shown, message, remedy))

    def error(self, code: str, path: str, value: object, message: str, remedy: str) -> None:
        """Notes a finding that rejects the record."""
        self.add(ERROR, code, path, value, message, remedy)

    def warning(self, code: str, path: str, value: object, message: str, remedy: str) -> None:
        """Notes a finding that leaves the record in."""
        self.add(WARNING, code, path, value, message, remedy)

    @property
    def rejected(self) -> bool:
        """True when one of the findings is an error."""
        return any(finding.severity == ERROR for finding in self.found)


def clean(text: str) -> str:
    """Returns the text without characters that PostgreSQL or terminals cannot take (NUL, controls)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text)
