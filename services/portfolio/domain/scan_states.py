"""Who gets a file of evidence, by what a malware scan found in it."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.errors import Refusal

_HELD = {
    Evidence.SCAN_STATE_PENDING: reason_pb2.REASON_EVIDENCE_SCAN_PENDING,
    Evidence.SCAN_STATE_INFECTED: reason_pb2.REASON_EVIDENCE_INFECTED,
    Evidence.SCAN_STATE_TOO_LARGE: reason_pb2.REASON_EVIDENCE_TOO_LARGE_TO_SCAN,
}


def is_served(evidence: Evidence, *, to_holder: bool) -> bool:
    """True when the file may be had. One too large for the scanner goes back to its holder only, so that
    nobody slips malware past it by padding."""
    return not _reason(evidence, to_holder)


def require_served(evidence: Evidence, *, to_holder: bool) -> None:
    """Raises Refusal(EVIDENCE_SCAN_PENDING, EVIDENCE_INFECTED or EVIDENCE_TOO_LARGE_TO_SCAN) unless the file
    may be had."""
    if reason := _reason(evidence, to_holder):
        raise Refusal(reason)


def _reason(evidence: Evidence, to_holder: bool) -> int:
    if to_holder and evidence.scan_state == Evidence.SCAN_STATE_TOO_LARGE:
        return 0
    return _HELD.get(evidence.scan_state, 0)
