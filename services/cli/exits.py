"""How a command ends: exit codes by kind of failure, and the one exception that carries them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple


class ExitCode(IntEnum):
    """Exit code of `waymark` by kind of failure."""

    OK = 0
    OTHER = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    NOT_FOUND = 5


class FieldViolation(NamedTuple):
    """One wrong field of a request: its path and what is wrong with it."""

    field: str
    description: str


class Failure(Exception):
    """A command cannot do what was asked; shown to people in a few lines, to programs as one JSON object.

    `text` says what went wrong, `remedy` what to do about it (may be empty), `reason` is the name from the
    published catalogue of error reasons when a service refused, `retry_after` the seconds after which it may
    be asked again (0: it did not say).
    """

    def __init__(
        self,
        code: ExitCode,
        text: str,
        *,
        remedy: str = "",
        reason: str = "",
        violations: Sequence[FieldViolation] = (),
        trace_id: str = "",
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.remedy = remedy
        self.reason = reason
        self.violations = tuple(violations)
        self.trace_id = trace_id
        self.retry_after = retry_after

    def as_json(self) -> dict[str, Any]:
        """The failure for programs."""
        return {
            "error": {
                "exit_code": int(self.code),
                "reason": self.reason,
                "text": self.text,
                "remedy": self.remedy,
                "violations": [violation._asdict() for violation in self.violations],
                "trace_id": self.trace_id,
            }
        }
