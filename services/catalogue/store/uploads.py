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
from services.platform.errors import Refusal, invalid
from services.platform.objects.tickets import key_of
from services.platform.operations.store import OPEN
from services.platform.operations.table import operations

BUCKET = "waymark-catalogue-uploads"
UNUSED = timedelta(days=1)  # after which what nothing has used goes
MAX_WAITING = 4 << 30  # bytes that an organisation may have waiting: eight of the largest usual files
LARGEST = 512 << 20  # bytes of a file that is for no source which may bring more
_QUOTA = 0x00AD


def add(
    tx: Transaction,
    *,
    size_bytes: int,
    content_type: str,
    sha256: str,
    organisation: str = "",
    largest: int = 0,
) -> str:
    """Notes an upload to come, owned by the caller; returns its id. `largest`: bytes that it might have.

    Raises Refusal: INVALID_ARGUMENT for a larger one; UPLOAD_QUOTA_EXCEEDED when too much of the
    `organisation`, where one is named, waits.
    """
    _check_size("size_bytes", size_bytes, largest)
    upload = new_id()
    if organisation:
        limit = max(
            MAX_WAITING, 2 * largest if largest > LARGEST else 0
        )  # a second one, if the first is wrong
        _check_quota(tx, organisation, size_bytes, limit)
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


def _check_size(field: str, size_bytes: int, largest: int) -> None:
    if size_bytes > (most := max(LARGEST, largest)):
        said = f"must be of at most {most >> 20} MiB; a feed may have more where its source may bring more"
        raise invalid(field, said)


def _check_quota(tx: Transaction, organisation: str, size_bytes: int, limit: int) -> None:
    tx.execute(select(func.pg_advisory_xact_lock(_QUOTA, func.hashtext(organisation))))
    young = uploads.c.create_time > func.now() - UNUSED
    waiting = select(func.coalesce(func.sum(uploads.c.size_bytes), 0)).where(
        uploads.c.organisation_id == organisation, young, ~_in_use()
    )
    if int(tx.execute(waiting).scalar_one()) + size_bytes > limit:
        raise Refusal(reason_pb2.REASON_UPLOAD_QUOTA_EXCEEDED, metadata={"limit_bytes": str(limit)})


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
        .where(uploads.c.create_time < func.now() - UNUSED, ~uploads.c.checking, ~_in_use())
        .order_by(uploads.c.create_time)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tx.execute(delete(uploads).where(uploads.c.id.in_(unused.scalar_subquery()))).rowcount


def known_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Returns those of `keys` that rows refer to, for the sweep: files, and what waits for its check."""
    of = {key: key_of(key) for key in keys}
    rows = select(uploads.c.id, uploads.c.checking).where(
        cast(uploads.c.id, Text).in_([each or key for key, each in of.items()])
    )
    checking = {row.id: row.checking for row in tx.execute(rows)}
    return {key for key, each in of.items() if (checking.get(each) if each else key in checking)}


def read(connection: Connection, upload: str, *, using: bool = False) -> Row[Any]:
    """Returns the upload; nobody lets go of it while the caller is `using` it. Raises Refusal(NOT_FOUND)."""
    statement = select(uploads).where(uploads.c.id == upload)
    if using:
        statement = statement.with_for_update(read=True, key_share=True)
    row = connection.execute(statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no upload {upload}.")
    return row


def read_ready(tx: Transaction, upload: str, largest: int = 0) -> Row[Any]:
    """Returns the caller's own, checked upload, of as many bytes as usual or up to the `largest`; raises
    Refusal NOT_FOUND, WRONG_STATE or, for a larger one, INVALID_ARGUMENT."""
    row = read(tx.connection, upload, using=True)
    if row.owner != tx.principal.subject:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no upload {upload}.")
    if not row.ready:
        state = "CHECKING" if row.checking else "PENDING"
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": "READY"})
    _check_size("upload", row.size_bytes, largest)
    return row


def mark_checking(tx: Transaction, upload: str) -> None:
    """Notes that the bytes are there and wait to be compared."""
    statement = update(uploads).where(uploads.c.id == upload, ~uploads.c.ready)
    tx.execute(statement.values(checking=True, fault=""))


def mark_checked(tx: Transaction, upload: str, fault: str = "") -> None:
    """Notes that the bytes are what the ticket says or, with a `fault`, that they were not and are gone."""
    values = {"ready": not fault, "checking": False, "fault": fault}
    tx.execute(update(uploads).where(uploads.c.id == upload).values(values))


def to_check(tx: Transaction) -> Sequence[Row[Any]]:
    """Returns uploads that wait to be compared, oldest first."""
    return tx.execute(select(uploads).where(uploads.c.checking).order_by(uploads.c.id).limit(100)).all()


def sha256_of_run(tx: Transaction, run: str) -> str:
    """Returns the SHA-256 (hex) of what a run has read."""
    statement = select(uploads.c.sha256).join(feed_runs, feed_runs.c.upload_id == uploads.c.id)
    return str(tx.execute(statement.where(feed_runs.c.id == run)).scalar_one())
