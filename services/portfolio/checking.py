"""The check of uploaded evidence: of most files while the caller waits, of large ones by a job."""

from __future__ import annotations

import structlog
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.portfolio import scanning
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import evidence as store
from services.portfolio.store.vault import open_vault

AT_ONCE = 200_000_000  # bytes; a person waits for the check of no larger file
WRONG = (reason_pb2.REASON_UPLOAD_MISMATCH, reason_pb2.REASON_UPLOAD_MISSING)
log = structlog.get_logger("uploads")


def at_once(app: PortfolioApp, evidence: Evidence, remaining: float | None) -> dict[str, int]:
    """Checks and scans what was uploaded, or says that it will be; returns the columns that follow.

    `remaining`: seconds left to the caller. Raises Refusal(UPLOAD_MISSING, UPLOAD_MISMATCH or
    EVIDENCE_INFECTED).
    """
    if evidence.size_bytes <= AT_ONCE:
        _verify(app, evidence)
        scan_state = scanning.at_once(app, evidence, remaining)
        return {"state": Evidence.STATE_STORED, "scan_state": scan_state}
    if not app.objects.uploaded(store.BUCKET, names.last(evidence.name), evidence.size_bytes):
        raise Refusal(reason_pb2.REASON_UPLOAD_MISSING)
    return {"state": Evidence.STATE_CHECKING}


def check_the_rest(app: PortfolioApp) -> None:
    """Checks what waits for it, oldest first. Raises Refusal(UNAVAILABLE) while the store is away."""
    after = ""
    while True:
        with transaction(app, read_only=True) as tx:
            waiting = store.to_check(tx, after)
        for holder, evidence_id in waiting:
            _check(app, holder, evidence_id)
        if not waiting:
            return
        after = waiting[-1][1]


def _check(app: PortfolioApp, holder: str, evidence_id: str) -> None:
    with transaction(app, read_only=True) as tx:
        evidence = store.EVIDENCE.get(tx, open_vault(tx, app.keys, holder), evidence_id)
    try:
        _verify(app, evidence)
        found = {"state": Evidence.STATE_STORED, "scan_state": scanning.first_state(app), "upload_fault": ""}
    except Refusal as refusal:
        if refusal.reason not in WRONG:
            raise
        fault = refusal.metadata.get("field", "missing")
        log.warning("upload_refused", evidence=evidence_id, fault=fault)
        found = {"state": Evidence.STATE_AWAITING_UPLOAD, "upload_fault": fault}
    with transaction(app) as tx:
        vault = open_vault(tx, app.keys, holder)
        evidence = store.EVIDENCE.get(tx, vault, evidence_id, lock=True)
        if evidence.state == Evidence.STATE_CHECKING:
            store.EVIDENCE.replace(tx, vault, evidence_id, evidence, **found)


def _verify(app: PortfolioApp, evidence: Evidence) -> None:
    app.objects.verify(
        store.BUCKET,
        names.last(evidence.name),
        evidence.size_bytes,
        evidence.content_type,
        evidence.sha256,
    )
