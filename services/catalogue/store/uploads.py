"""Statements on uploads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue.store.feed_tables import feed_runs
from services.catalogue.store.tables import organisations, uploads
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.operations.store import OPEN
from services.platform.operations.table import operations

BUCKET = "waymark-catalogue-uploads"
UNUSED = timedelta(days=1)  # after which what nothing has used goes
MAX_WAITING = 4 << 30  # bytes that an organisation may have waiting: eight of the largest files
_QUOTA = 0x00AD


def add(tx: Transaction, *, size_bytes: int, content_type: str, sha256: str, organisation: str = "") -> str:
    """Notes an upload to come, owned by the caller; returns its id.

    Raises Refusal(UPLOAD_QUOTA_EXCEEDED) when too much of the `organisation`, where one is named, waits.
    """
    upload = new_id()
    if organisation:
        _check_quota(tx, organisation, size_bytes)
    tx.execute(
        insert(uploads).values(
            id=upload,
            owner=tx.principal.subject,
            organisation_id=organisation,
            size_bytes=size_bytes,
            content_type=content_type,
            sha256=sha256,
        )
    )
    return upload


def add_own(tx: Transaction, upload: str, size: int, sha256: str, content_type: str) -> None:
    """Notes what the service itself has stored under the id of an upload."""
    values = {"id": upload, "owner": "", "size_bytes": size, "sha256": sha256}
    tx.execute(insert(uploads).values(values | {"content_type": content_type, "ready": True}))


def _check_quota(tx: Transaction, organisation: str, size_bytes: int) -> None:
    tx.execute(select(func.pg_advisory_xact_lock(_QUOTA, func.hashtext(organisation))))
    young = uploads.c.create_time > func.now() - UNUSED
    waiting = select(func.coalesce(func.sum(uploads.c.size_bytes), 0)).where(
        uploads.c.organisation_id == organisation, young, ~_in_use()
    )
    if int(tx.execute(waiting).scalar_one()) + size_bytes > MAX_WAITING:
        raise Refusal(reason_pb2.REASON_UPLOAD_QUOTA_EXCEEDED, metadata={"limit_bytes": str(MAX_WAITING)})


def _in_use() -> ColumnElement[bool]:
    """Whether an upload is a run's or a logo, or work that is not finished will read it."""
    working = (
        operations.c.state.in_(OPEN),
        operations.c.argument["upload"].astext == cast(uploads.c.id, Text),
    )
    return or_(
        exists().where(feed_runs.c.upload_id == uploads.c.id),
        exists().where(organisations.c.logo_id == uploads.c.id),
        exists().where(*working),
    )


def let_go_unused(tx: Transaction, limit: int) -> int:
    """Forgets uploads that nothing has used within a day, and does not now; returns how many."""
    unused = (
        select(uploads.c.id)
        .where(uploads.c.create_time < func.now() - UNUSED, ~_in_use())
        .order_by(uploads.c.create_time)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tx.execute(delete(uploads).where(uploads.c.id.in_(unused.scalar_subquery()))).rowcount


def known_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Returns those of `keys` that rows refer to, for the orphan sweep."""
    known = select(uploads.c.id).where(cast(uploads.c.id, Text).in_(keys))
    return set(tx.execute(known).scalars())


def read(connection: Connection, upload: str, *, using: bool = False) -> Row[Any]:
    """Returns the upload; nobody lets go of it while the caller is `using` it. Raises Refusal(NOT_FOUND)."""
    statement = select(uploads).where(uploads.c.id == upload)
    if using:
        statement = statement.with_for_update(read=True, key_share=True)
    row = connection.execute(statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no upload {upload}.")
    return row


def read_ready(tx: Transaction, upload: str) -> Row[Any]:
    """Returns the caller's own, checked upload; raises Refusal NOT_FOUND or WRONG_STATE."""
    row = read(tx.connection, upload, using=True)
    if row.owner != tx.principal.subject:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no upload {upload}.")
    if not row.ready:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "PENDING", "needed": "READY"})
    return row


def mark_ready(tx: Transaction, upload: str) -> None:
    """Notes that the bytes are there and are what the ticket says."""
    tx.execute(update(uploads).where(uploads.c.id == upload).values(ready=True))


def sha256_of_run(tx: Transaction, run: str) -> str:
    """Returns the SHA-256 (hex) of what a run has read."""
    statement = select(uploads.c.sha256).join(feed_runs, feed_runs.c.upload_id == uploads.c.id)
    return str(tx.execute(statement.where(feed_runs.c.id == run)).scalar_one())
