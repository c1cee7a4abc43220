"""The malware scan of evidence: small files when they are finalized, the rest by a job."""

from __future__ import annotations

from datetime import timedelta

import structlog
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.objects.clamd import Clamd, Found, ScannerError, Verdict
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.scan_states import require_served
from services.portfolio.store import evidence as store
from services.portfolio.store.vault import open_vault

AT_ONCE = 25_000_000  # bytes; a person waits for the scan of no larger file
SECONDS, LONG = 15.0, 900.0  # of a scan that somebody waits for, and of one by the job
MARGIN = 2.0  # seconds that a call keeps for what follows
STATES = {
    Found.NOTHING: Evidence.SCAN_STATE_CLEAN,
    Found.MALWARE: Evidence.SCAN_STATE_INFECTED,
    Found.TOO_LARGE: Evidence.SCAN_STATE_TOO_LARGE,
}
log = structlog.get_logger("scans")


def at_once(app: PortfolioApp, evidence: Evidence, remaining: float | None) -> Evidence.ScanState.ValueType:
    """Returns the scan state with which a checked file is stored; `remaining`: seconds left to the caller.

    Raises Refusal(EVIDENCE_INFECTED) after deleting the bytes.
    """
    if app.scanner is None:
        return first_state(app)
    seconds = min(SECONDS, SECONDS if remaining is None else remaining - MARGIN)
    if evidence.size_bytes > AT_ONCE or seconds <= 0:
        return first_state(app)
    try:
        verdict = _scan(app, app.scanner, names.last(evidence.name), seconds)
    except ScannerError as error:
        log.warning("scan_put_off", reason=str(error))
        return first_state(app)
    if verdict.found is Found.MALWARE:
        app.objects.delete(store.BUCKET, names.last(evidence.name))
        raise Refusal(reason_pb2.REASON_EVIDENCE_INFECTED, metadata={"found": verdict.name})
    return STATES[verdict.found]


def require_clean(app: PortfolioApp, content: bytes) -> None:
    """Scans a few bytes. Raises Refusal(EVIDENCE_INFECTED), or UNAVAILABLE while the scanner is away."""
    if app.scanner is None or not content:
        return
    try:
        verdict = app.scanner.scan([content], SECONDS)
    except ScannerError as error:
        log.warning("scan_put_off", reason=str(error))
        raise Refusal(reason_pb2.REASON_UNAVAILABLE, retry_after=timedelta(seconds=5)) from error
    if verdict.found is not Found.NOTHING:
        raise Refusal(reason_pb2.REASON_EVIDENCE_INFECTED, metadata={"found": verdict.name})


def require_served_now(app: PortfolioApp, tx: Transaction, name: str) -> None:
    """Asks for a file that was frozen what a scan has found in it by now, which may be after it was.

    Raises Refusal(NOT_FOUND) when it is gone, or what `require_served` raises.
    """
    holder, evidence_id = names.parse(name, "holders", "evidence")
    found = store.EVIDENCE.get(tx, open_vault(tx, app.keys, holder), evidence_id)
    require_served(found, to_holder=tx.principal.subject == holder)


def first_state(app: PortfolioApp) -> Evidence.ScanState.ValueType:
    """Returns the scan state of a file that nobody has scanned yet."""
    return Evidence.SCAN_STATE_PENDING if app.scanner else Evidence.SCAN_STATE_NOT_SCANNED


def scan_the_rest(app: PortfolioApp) -> None:
    """Scans what waits for it, and what was stored before there was a scanner, oldest first.

    One file that cannot be scanned now is no reason not to scan the next.
    """
    if app.scanner is None or not app.scanner.answers():
        return
    after = ""
    while True:
        with transaction(app, read_only=True) as tx:
            keys = store.unscanned(tx, after)
        for key in keys:
            _note(app, app.scanner, key)
        if not keys:
            return
        after = keys[-1]


def _note(app: PortfolioApp, scanner: Clamd, key: str) -> None:
    try:
        verdict = _scan(app, scanner, key, LONG)
    except (ScannerError, Refusal) as error:
        log.warning("scan_put_off", evidence=key, reason=str(error))
        return
    with transaction(app) as tx:
        store.set_scan_state(tx, key, STATES[verdict.found])
        kept = store.known_keys(tx, [key])
    if key not in kept:
        app.objects.delete(store.BUCKET, key)  # what is left by a crash before this, the sweep deletes


def _scan(app: PortfolioApp, scanner: Clamd, key: str, seconds: float) -> Verdict:
    with app.objects.open(store.BUCKET, key) as stream:
        verdict = scanner.scan(stream, seconds)
    if verdict.found is Found.MALWARE:
        log.warning("malware_found", evidence=key, found=verdict.name)
    return verdict
