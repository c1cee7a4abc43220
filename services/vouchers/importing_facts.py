"""Takes in a file of facts, a chunk a transaction. The file holds personal data: it is read where it lies,
copied nowhere, and deleted at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, BinaryIO

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2

from services.platform.days import day_of
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.objects.streams import buffered
from services.platform.operations import store as operations
from services.platform.operations.runner import Chunk
from services.vouchers.app import VouchersApp
from services.vouchers.domain.fact_file import FORM, read
from services.vouchers.domain.facts import Told
from services.vouchers.domain.row_files import Place, Rows
from services.vouchers.store import fact_files, facts

KIND = "learner_fact_import"
SIZE = 5000  # rows of a chunk
MOST_FINDINGS = 10_000  # kept of one file; all are counted


def start(tx: Transaction, file_id: str, *, dry_run: bool) -> Row[Any]:
    """Queues the import of a file whose bytes were compared. Raises Refusal: NOT_FOUND, WRONG_STATE."""
    file = fact_files.get(tx, file_id, locked=True)
    if file.operation_id:
        metadata = {
            "state": "IMPORTED",
            "needed": "NEW",
            "operation": f"voucherOperations/{file.operation_id}",
        }
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
    operation = operations.add(tx, KIND, {"file": file.id, "sha256": file.sha256, "dry_run": dry_run}, 0)
    fact_files.taken(tx, file.id, operation.id)
    return operation


def take_in(app: VouchersApp, tx: Transaction, row: Row[Any]) -> Chunk:
    """Does the next chunk of an import: the whole file is looked at, then rows are stored, then it is
    deleted, which therefore follows the commit of the last row."""
    if not row.place:
        return _count(app, row)
    if row.done < row.total:
        return _next_rows(app, tx, row)
    app.objects.delete(fact_files.BUCKET, row.argument["file"])
    return Chunk(row.place, row.result, 0, last=True)


def _count(app: VouchersApp, row: Row[Any]) -> Chunk:
    try:
        with _opened(app, row, sha256=row.argument["sha256"]) as stream:
            rows = Rows(stream, FORM)
            first = rows.place
            count = sum(1 for _ in rows)
    except Refusal as refusal:
        if refusal.reason == FORM.reason:  # it will be no better another time
            app.objects.delete(fact_files.BUCKET, row.argument["file"])
        raise
    return Chunk(first._asdict(), {}, 0, last=False, total=count)


def _next_rows(app: VouchersApp, tx: Transaction, row: Row[Any]) -> Chunk:
    place = Place(**row.place)
    with _opened(app, row, offset=place.offset) as stream:
        rows = Rows(stream, FORM, place)
        found = [(each.line, read(each, day_of(row.created_at))) for each in islice(rows, SIZE)]
    told = [fact for _, fact in found if isinstance(fact, Told)]
    wrong = [(line, each) for line, fact in found if not isinstance(fact, Told) for each in fact]
    if not row.argument["dry_run"]:
        facts.put_all(tx, told, row.requested_by)
    result = {"stored": 0, "invalid": 0, "findings": 0, **row.result}
    result["findings"] += fact_files.find(tx, row.id, wrong, MOST_FINDINGS - result["findings"])
    result["stored"] += len(told)
    result["invalid"] += len(found) - len(told)
    return Chunk(rows.place._asdict(), result, len(found), last=False)


@contextmanager
def _opened(app: VouchersApp, row: Row[Any], **options: Any) -> Iterator[BinaryIO]:
    try:
        source = app.objects.open(fact_files.BUCKET, row.argument["file"], **options)
    except Refusal as refusal:
        if refusal.reason == reason_pb2.REASON_NOT_FOUND:  # resumed when it had been kept long enough
            raise Refusal(reason_pb2.REASON_UPLOAD_MISSING) from None
        raise
    with source:
        yield buffered(source)
