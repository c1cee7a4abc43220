"""Statements on uploads."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from waymark.errors.v1 import reason_pb2

from services.catalogue.store.feed_tables import feed_runs
from services.catalogue.store.tables import uploads
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

BUCKET = "waymark-catalogue-uploads"


def add(tx: Transaction, *, size_bytes: int, content_type: str, sha256: str) -> str:
    """Notes an upload to come, owned by the caller; returns its id."""
    upload = new_id()
    tx.execute(
        insert(uploads).values(
            id=upload,
            owner=tx.principal.subject,
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


def read(connection: Connection, upload: str) -> Row[Any]:
    """Returns the upload; raises Refusal(NOT_FOUND)."""
    row = connection.execute(select(uploads).where(uploads.c.id == upload)).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no upload {upload}.")
    return row


def read_ready(tx: Transaction, upload: str) -> Row[Any]:
    """Returns the caller's own, checked upload; raises Refusal NOT_FOUND or WRONG_STATE."""
    row = read(tx.connection, upload)
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
