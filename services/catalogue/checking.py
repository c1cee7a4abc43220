"""Compares large uploads with what was announced, while nobody waits for an answer; a job of `waymark consume
catalogue`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from waymark.errors.v1 import reason_pb2

from services.catalogue.store import uploads
from services.platform.db.transaction import transaction
from services.platform.errors import Refusal

if TYPE_CHECKING:
    from services.platform.app import App

WRONG = (reason_pb2.REASON_UPLOAD_MISMATCH, reason_pb2.REASON_UPLOAD_MISSING)
log = structlog.get_logger("uploads")


def check_uploads(app: App) -> None:
    """Checks what waits for it; an upload that fails for another reason than its bytes is tried again, and
    holds no other up."""
    with transaction(app, read_only=True) as tx:
        waiting = uploads.to_check(tx)
    for row in waiting:
        try:
            fault = _fault(app, row.id, row.size_bytes, row.content_type, row.sha256)
        except Exception:
            log.exception("upload_not_checked", upload=row.id)
            continue
        with transaction(app) as tx:
            uploads.mark_checked(tx, row.id, fault)


def _fault(app: App, upload: str, size: int, content_type: str, sha256: str) -> str:
    """Returns what is wrong with the bytes, "" for nothing. Raises Refusal(UNAVAILABLE)."""
    try:
        app.objects.verify(uploads.BUCKET, upload, size, content_type, sha256)
    except Refusal as refusal:
        if refusal.reason not in WRONG:
            raise
        return refusal.metadata.get("field", "missing")
    return ""
