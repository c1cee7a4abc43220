"""What checks come to, in the words of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from waymark.portfolio.v1 import credential_pb2 as pb

Kind: TypeAlias = pb.CheckKind.ValueType
Finding: TypeAlias = pb.CheckFinding.ValueType


def passed(kind: Kind) -> pb.Check:
    """A check that found nothing wrong."""
    return pb.Check(kind=kind, outcome=pb.CHECK_OUTCOME_PASSED)


def failed(kind: Kind, finding: Finding, detail: str = "") -> pb.Check:
    """A check that found what must not be; `detail`: where in the credential."""
    return pb.Check(kind=kind, outcome=pb.CHECK_OUTCOME_FAILED, finding=finding, detail=detail)


def unknown(kind: Kind, finding: Finding, detail: str = "") -> pb.Check:
    """A check that could not tell."""
    return pb.Check(kind=kind, outcome=pb.CHECK_OUTCOME_UNKNOWN, finding=finding, detail=detail)


def verdict(checks: Sequence[pb.Check], now: datetime) -> pb.Verdict:
    """Returns what some checks, one for each kind, come to."""
    outcomes = {check.outcome for check in checks}
    if pb.CHECK_OUTCOME_FAILED in outcomes:
        state = pb.Verdict.STATE_INVALID
    elif outcomes == {pb.CHECK_OUTCOME_PASSED}:
        state = pb.Verdict.STATE_VALID
    else:
        state = pb.Verdict.STATE_UNCONFIRMED
    made = pb.Verdict(state=state, checks=checks)
    made.check_time.FromDatetime(now)
    return made
