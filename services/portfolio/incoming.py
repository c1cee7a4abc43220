"""Documents that are too large for a request. A holder has one place in the object store to put one; from
there it is brought in, and then deleted."""

from __future__ import annotations

from datetime import timedelta

import structlog
from waymark.portfolio.v1 import document_pb2 as pb

from services.platform.errors import Refusal
from services.platform.objects import sniff
from services.portfolio.app import PortfolioApp
from services.portfolio.store.vault import Vault

BUCKET = "waymark-portfolio-documents"
LEFT = timedelta(hours=1)  # age at which a document goes that nobody brought in
log = structlog.get_logger("documents")


def key_of(vault: Vault) -> str:
    """Returns the object key of a holder's place, which does not tell whose it is. One place, so that nobody
    fills the store with what they never bring in."""
    return vault.key.blind("document", vault.holder).hex()


def ticket(app: PortfolioApp, vault: Vault, document: pb.UploadedDocument) -> pb.DocumentTicket:
    """Returns leave to put exactly this document there, over what is there."""
    size, sha256 = document.size_bytes, document.sha256
    leave = app.objects.ticket(BUCKET, key_of(vault), size=size, content_type=sniff.ANYTHING, sha256=sha256)
    answer = pb.DocumentTicket(url=leave.url, headers=leave.headers)
    answer.expire_time.FromDatetime(leave.expire_time)
    return answer


def content(app: PortfolioApp, key: str, document: pb.UploadedDocument) -> bytes:
    """Returns what was put there. Raises Refusal(UPLOAD_MISSING), and UPLOAD_MISMATCH for something else."""
    app.objects.verify(BUCKET, key, document.size_bytes, sniff.ANYTHING, document.sha256)
    with app.objects.open(BUCKET, key, sha256=document.sha256) as stream:
        return b"".join(stream)


def delete(app: PortfolioApp, key: str) -> None:
    """Deletes what was brought in; what cannot be reached now is left to the sweep."""
    try:
        app.objects.delete(BUCKET, key)
    except Refusal:
        log.warning("document_left_to_the_sweep")


def sweep(app: PortfolioApp) -> None:
    """Deletes documents that nobody brought in."""
    app.objects.sweep(BUCKET, (), LEFT)
