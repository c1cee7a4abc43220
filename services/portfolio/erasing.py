"""Erasing a holder, whoever does it: the rows in one transaction, the files once it has committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import structlog
from waymark.portfolio.v1.events_pb2 import SubjectErased
from waymark.portfolio.v1.holder_pb2 import EraseHolderResponse

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import evidence, holders

log = structlog.get_logger("holders")


class Erased(NamedTuple):
    """What went, and the keys and sizes of files that are to go once the transaction has committed."""

    answer: EraseHolderResponse
    files: list[tuple[str, int]]


def erase(tx: Transaction, holder_id: str, etag: str) -> Erased:
    """Erases a holder and tells so, once.

    Raises Refusal(NOT_FOUND, ETAG_STALE), or ERASURE_HELD while a legal hold is in force.
    """
    answer, files = holders.held(tx, holder_id), evidence.files_of(tx, holder_id)
    erased_now, erased_at = holders.erase(tx, holder_id, etag)
    answer.erase_time.FromDatetime(erased_at)
    if erased_now:
        event = SubjectErased(holder=names.holder(holder_id))
        event.erase_time.FromDatetime(erased_at)
        tx.publish(event)
    return Erased(answer, files)


def delete_files(app: PortfolioApp, files: Sequence[tuple[str, int]]) -> None:
    """Deletes files and uploads; what cannot be reached now is left to the sweep, as no row names it."""
    try:
        for key, size in files:
            app.objects.delete(evidence.BUCKET, key)
            app.objects.discard(evidence.BUCKET, key, size)
    except Refusal:
        log.warning("files_left_to_the_sweep", files=len(files))
