"""Erasing a holder, whoever does it: the rows in one transaction, the files once it has committed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import Engine
from waymark.portfolio.v1.events_pb2 import SubjectErased
from waymark.portfolio.v1.holder_pb2 import EraseHolderResponse

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.portfolio import incoming
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.keys import KeyRing
from services.portfolio.store import evidence, holders
from services.portfolio.store.vault import find_vault

AT_ONCE = 200  # holders without a key in one transaction
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
        tx.publish(_told(holder_id, erased_at))
    return Erased(answer, files)


def retell(engine: Engine, since: datetime) -> int:
    """Tells SubjectErased again of each erasure at `since` (UTC) or after; returns of how many.

    For services whose database was restored from a backup: what they had let go of is back. Where this
    service's own was, holders whose key is gone are erased anew first. Told again, an erasure takes nothing
    from whoever came back after it, so doing all of this twice, or too early, is harmless.
    """
    found = AT_ONCE
    while found == AT_ONCE:
        with transaction(engine) as tx:
            found = holders.end_without_key(tx, AT_ONCE)
    with transaction(engine) as tx:
        erased = tx.execute(holders.erased_since(since)).all()
        tx.stream(tx.publishing(_told(row.id, row.last_erased_at) for row in erased))
    return len(erased)


def _told(holder_id: str, erased_at: datetime) -> SubjectErased:
    event = SubjectErased(holder=names.holder(holder_id))
    event.erase_time.FromDatetime(erased_at)
    return event


def delete_files(app: PortfolioApp, files: Sequence[File]) -> None:
    """Deletes files and uploads; what cannot be reached now is left to the sweep, as no row names it."""
    try:
        for bucket, key, size in files:
            app.objects.delete(bucket, key)
            app.objects.discard(bucket, key, size)
    except Refusal:
        log.warning("files_left_to_the_sweep", files=len(files))
