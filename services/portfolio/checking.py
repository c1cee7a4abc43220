"""The check of uploaded evidence: of most files while the caller waits, of large ones by a job."""

from __future__ import annotations

from typing import Any, NamedTuple

import structlog
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.portfolio import previewing, scanning
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import films, names, quotas
from services.portfolio.store import evidence as store
from services.portfolio.store import locking
from services.portfolio.store.vault import Vault, open_vault
from services.portfolio.waiting import each_waiting

AT_ONCE = 200_000_000  # bytes; a person waits for the check of no larger file
AHEAD = 4096  # bytes read at once of a film's header
WRONG = (
    reason_pb2.REASON_UPLOAD_MISMATCH,
    reason_pb2.REASON_UPLOAD_MISSING,
    reason_pb2.REASON_EVIDENCE_TOO_LONG,
)
log = structlog.get_logger("uploads")


class Checked(NamedTuple):
    """What checking came to: columns of the row, and the seconds of a film."""

    columns: dict[str, Any]
    seconds: float | None = None


def at_once(app: PortfolioApp, evidence: Evidence, remaining: float | None) -> Checked:
    """Checks and scans what was uploaded, or says that it will be.

    `remaining`: seconds left to the caller. Raises Refusal(UPLOAD_MISSING, UPLOAD_MISMATCH,
    EVIDENCE_TOO_LONG or EVIDENCE_INFECTED).
    """
    if evidence.size_bytes <= AT_ONCE:
        seconds = _verify(app, evidence)
        scan_state = scanning.at_once(app, evidence, remaining)
        return Checked({"state": Evidence.STATE_STORED, "scan_state": scan_state}, seconds)
    if not app.objects.uploaded(store.BUCKET, names.last(evidence.name), evidence.size_bytes):
        raise Refusal(reason_pb2.REASON_UPLOAD_MISSING)
    return Checked({"state": Evidence.STATE_CHECKING})


def note(tx: Transaction, vault: Vault, evidence: Evidence, checked: Checked) -> Evidence:
    """Writes what checking came to into the locked row of a file, and returns it as it will be read."""
    columns = _noted(evidence, checked)
    return store.EVIDENCE.replace(tx, vault, names.last(evidence.name), evidence, **columns)


def add(tx: Transaction, vault: Vault, evidence: Evidence, checked: Checked) -> Evidence:
    """Makes the row of a file that was checked before there was one, under the name that it has. Raises
    Refusal(QUOTA_EXCEEDED)."""
    require_room(tx, vault.holder, evidence.size_bytes)
    columns = _noted(evidence, checked) | {"size_bytes": evidence.size_bytes}
    return store.EVIDENCE.add(tx, vault, evidence, row_id=names.last(evidence.name), **columns)


def require_room(tx: Transaction, holder: str, size: int) -> None:
    """Raises Refusal(QUOTA_EXCEEDED) unless a portfolio has room for a file of so many bytes."""
    held = store.bytes_held(tx, holder) + size
    quotas.check("evidence_bytes", held - 1, limit=quotas.EVIDENCE_BYTES)


def _noted(evidence: Evidence, checked: Checked) -> dict[str, Any]:
    """Notes in a file how long it takes; returns the columns of its row."""
    if checked.seconds is not None:
        evidence.duration.FromMilliseconds(round(checked.seconds * 1000))
    due = checked.columns.get("state") == Evidence.STATE_STORED and previewing.is_due(evidence)
    return {**checked.columns, "preview_due": due}


def check_the_rest(app: PortfolioApp) -> None:
    """Checks what waits for it. Raises Refusal(UNAVAILABLE) while the store or the key service is away."""
    each_waiting(app, store.to_check, _check)


def _check(app: PortfolioApp, holder: str, evidence_id: str) -> None:
    with transaction(app, read_only=True) as tx:
        evidence = store.EVIDENCE.get(tx, open_vault(tx, app.keys, holder), evidence_id)
    try:
        seconds = _verify(app, evidence)
        columns = {
            "state": Evidence.STATE_STORED,
            "scan_state": scanning.first_state(app),
            "upload_fault": "",
        }
        found = Checked(columns, seconds)
    except Refusal as refusal:
        if refusal.reason not in WRONG:
            raise
        fault = refusal.metadata.get("field", "missing")
        log.warning("upload_refused", evidence=evidence_id, fault=fault)
        found = Checked({"state": Evidence.STATE_AWAITING_UPLOAD, "upload_fault": fault})
    with transaction(app) as tx:
        locking.enter(tx, holder)
        vault = open_vault(tx, app.keys, holder)
        evidence = store.EVIDENCE.get(tx, vault, evidence_id, lock=True)
        if evidence.state == Evidence.STATE_CHECKING:
            note(tx, vault, evidence, found)


def _verify(app: PortfolioApp, evidence: Evidence) -> float | None:
    """Checks bytes and length; returns the seconds of a film, None where it does not say."""
    key = names.last(evidence.name)
    app.objects.verify(store.BUCKET, key, evidence.size_bytes, evidence.content_type, evidence.sha256)
    try:
        return _length(app, key, evidence)
    except Refusal as refusal:
        if refusal.reason in WRONG:
            app.objects.delete(store.BUCKET, key)
        raise


def _length(app: PortfolioApp, key: str, evidence: Evidence) -> float | None:
    ahead, at = b"", 0

    def read_at(offset: int, count: int) -> bytes:
        nonlocal ahead, at
        if not at <= offset <= offset + count <= at + len(ahead):
            with app.objects.open(store.BUCKET, key, offset=offset) as stream:
                ahead, at = stream.read(max(count, AHEAD)), offset
        return ahead[offset - at :][:count]

    try:
        seconds = films.duration(evidence.content_type, evidence.size_bytes, read_at)
    except films.FilmBrokenError as error:
        log.warning("film_broken", evidence=key, found=str(error))
        metadata = {"field": "content_type"}
        raise Refusal(reason_pb2.REASON_UPLOAD_MISMATCH, metadata=metadata) from error
    if seconds is not None and seconds > films.LONGEST:
        metadata = {"seconds": f"{seconds:.0f}", "limit": str(films.LONGEST), "field": "duration"}
        raise Refusal(reason_pb2.REASON_EVIDENCE_TOO_LONG, metadata=metadata)
    return seconds
