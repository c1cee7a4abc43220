"""How any layer refuses a call: one exception with a published reason.

Pure Python, so that domain code may raise it; only `services.platform.rpc.status` makes a gRPC status of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from waymark.errors.v1 import reason_pb2


class Violation(NamedTuple):
    """One invalid field: its path as in the contract (`learner.birth_date`) and what is wrong with it."""

    field: str
    description: str


class Refusal(Exception):
    """A call is refused for a reason of the published catalogue (`waymark.errors.v1.Reason`).

    `reason` is an enum value such as `reason_pb2.REASON_WRONG_STATE`. `detail` is one sentence for people:
    no personal data, no internals. `metadata` travels in `google.rpc.ErrorInfo` (machine-readable facts, such
    as the state a resource is in). `retry_after` becomes `google.rpc.RetryInfo`.
    """

    def __init__(
        self,
        reason: int,
        detail: str = "",
        *,
        violations: Sequence[Violation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after

    @property
    def reason_name(self) -> str:
        """Name of the reason as clients see it, for example `WRONG_STATE`."""
        return reason_name(self.reason)

    def __str__(self) -> str:
        return f"{self.reason_name}: {self.detail}" if self.detail else self.reason_name


def reason_name(reason: int) -> str:
    """Returns the published name of an enum value: `REASON_NOT_FOUND` → `NOT_FOUND`."""
    value = reason_pb2.Reason.DESCRIPTOR.values_by_number.get(reason)
    return str(value.name).removeprefix("REASON_") if value else f"UNKNOWN_{reason}"


def invalid(field: str, problem: str) -> Refusal:
    """Returns the refusal of one field of a request, INVALID_ARGUMENT: its path and what is wrong with it."""
    return Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[Violation(field, problem)])
