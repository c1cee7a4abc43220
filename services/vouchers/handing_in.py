"""Files that show a delivery: what was uploaded is compared and scanned before it counts, and scanned again
before anybody gets it, by what the scanner knows then. Nothing here waits inside a transaction."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.platform.objects.clamd import Found, ScannerError
from services.platform.rpc.call import Call
from services.vouchers.app import VouchersApp
from services.vouchers.store import evidence

SECONDS = 15.0  # of one scan
MARGIN = 1.0  # seconds that a call keeps for what follows
log = structlog.get_logger("scans")


def check(app: VouchersApp, pieces: Iterable[Row[Any]], call: Call) -> None:
    """Compares uploaded pieces with what was announced, scans them, and notes each by itself, so that a
    repeat after the caller's deadline goes on where this came to.

    Raises Refusal: UPLOAD_MISSING, UPLOAD_MISMATCH, EVIDENCE_INFECTED after deleting the bytes,
    EVIDENCE_TOO_LARGE_TO_SCAN. A scanner that is away stops nobody: no file leaves without a scan.
    """
    for piece in pieces:
        told = (piece.size_bytes, piece.content_type, piece.sha256)
        app.objects.verify(evidence.BUCKET, str(piece.id), *told)
        try:
            _scan(app, piece, call.remaining())
        except ScannerError as error:
            log.warning("scan_put_off", evidence=str(piece.id), reason=str(error))
        except Refusal as refusal:
            if refusal.reason == reason_pb2.REASON_EVIDENCE_INFECTED:
                app.objects.delete(evidence.BUCKET, str(piece.id))
            raise
        with transaction(app) as tx:
            evidence.mark_checked(tx, str(piece.id))


def download(app: VouchersApp, piece: Row[Any], call: Call, lifetime: timedelta) -> str:
    """Returns an address that serves a piece as attachment, once its bytes were compared and scanned.

    Raises Refusal: EVIDENCE_INFECTED, EVIDENCE_TOO_LARGE_TO_SCAN, UNAVAILABLE while the scanner is away.
    """
    key, scanned = str(piece.id), app.scanner is not None
    try:
        _scan(app, piece, call.remaining())
    except ScannerError as error:
        log.warning("scan_put_off", evidence=key, reason=str(error))
        raise Refusal(reason_pb2.REASON_UNAVAILABLE, retry_after=timedelta(seconds=5)) from error
    file = f"evidence-{key}{mimetypes.guess_extension(piece.content_type) or ''}"
    compared = "" if scanned else piece.sha256  # the scan has read it to the end
    return app.objects.download_url(evidence.BUCKET, key, file, piece.content_type, lifetime, sha256=compared)


def _scan(app: VouchersApp, piece: Row[Any], remaining: float) -> None:
    """Scans the stored bytes, which must be those compared before. Raises ScannerError, or Refusal."""
    if app.scanner is None:
        return
    seconds = min(SECONDS, remaining - MARGIN)
    with app.objects.open(evidence.BUCKET, str(piece.id), sha256=piece.sha256) as stream:
        verdict = app.scanner.scan(stream, seconds)
    if verdict.found is Found.MALWARE:
        log.warning("malware_found", evidence=str(piece.id), found=verdict.name)
        raise Refusal(reason_pb2.REASON_EVIDENCE_INFECTED, metadata={"found": verdict.name})
    if verdict.found is Found.TOO_LARGE:
        raise Refusal(reason_pb2.REASON_EVIDENCE_TOO_LARGE_TO_SCAN)
