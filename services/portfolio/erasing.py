"""Erasing a holder, whoever does it: the rows in one transaction, the files once it has committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import structlog
from waymark.portfolio.v1.events_pb2 import SubjectErased
from waymark.portfolio.v1.holder_pb2 import EraseHolderResponse

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio import incoming
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.keys import KeyRing
from services.portfolio.store import evidence, holders
from services.portfolio.store.vault import find_vault

log = structlog.get_logger("holders")


class File(NamedTuple):
    """A file in the object store: its bucket, its key and how many bytes it has, or 0."""

    bucket: str
    key: str
    size: int = 0


class Erased(NamedTuple):
    """What went, and the files that are to go once the transaction has committed."""

    answer: EraseHolderResponse
    files: list[File]


def erase(tx: Transaction, keys: KeyRing, holder_id: str, etag: str) -> Erased:
    """Erases a holder and tells so, once.

    Raises Refusal(NOT_FOUND, ETAG_STALE), or ERASURE_HELD while a legal hold is in force.
    """
    answer = holders.held(tx, holder_id)
    files = [File(evidence.BUCKET, *each) for each in evidence.files_of(tx, holder_id)]
    if vault := find_vault(tx, keys, holder_id):
        files.append(File(incoming.BUCKET, incoming.key_of(vault)))
    erased_now, erased_at = holders.erase(tx, holder_id, etag)
    answer.erase_time.FromDatetime(erased_at)
    if erased_now:
        event = SubjectErased(holder=names.holder(holder_id))
        event.erase_time.FromDatetime(erased_at)
        tx.publish(event)
    return Erased(answer, files)


def delete_files(app: PortfolioApp, files: Sequence[File]) -> None:
    """Deletes files and uploads; what cannot be reached now is left to the sweep, as no row names it."""
    try:
        for bucket, key, size in files:
            app.objects.delete(bucket, key)
            app.objects.discard(bucket, key, size)
    except Refusal:
        log.warning("files_left_to_the_sweep", files=len(files))
