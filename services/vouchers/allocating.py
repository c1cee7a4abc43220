"""Gives vouchers to the people that a file names, by the rules of the programme, a chunk a transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import programme_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.objects.streams import buffered
from services.platform.operations import store as operations
from services.platform.operations.runner import Chunk
from services.vouchers.allotment import Allotment
from services.vouchers.app import VouchersApp
from services.vouchers.domain import allocation_file
from services.vouchers.domain.sandbox import keep_apart
from services.vouchers.store import allocations, programmes

KIND = "allocation"
SIZE = 1000  # rows of a chunk


def start(app: VouchersApp, tx: Transaction, allocation: Row[Any], *, dry_run: bool) -> Row[Any]:
    """Queues a run of a file whose bytes were compared, by the rules in force now. Raises as `programme_of`
    does."""
    programme = programme_of(app, tx, allocation)
    argument = {
        "allocation": allocation.id,
        "programme": programme.id,
        "number": programme.active_number,
        "currency": programme.currency,
        "dry_run": dry_run,
        "asked_by": tx.principal.subject,
    }
    return operations.add(tx, KIND, argument, 0)


def programme_of(app: VouchersApp, tx: Transaction, allocation: Row[Any]) -> Row[Any]:
    """Returns the programme that gives the vouchers. Raises Refusal: SANDBOX_APART, PROGRAMME_NOT_ACTIVE,
    ALLOCATION_NOT_POSSIBLE."""
    programme = programmes.get(tx, allocation.programme_id)
    keep_apart(programme.currency)
    if programme.active_number is None:
        raise Refusal(reason_pb2.REASON_PROGRAMME_NOT_ACTIVE)
    rules = app.rules(tx, programme.id, programme.active_number)
    if rules.version.scope != programme_pb2.ProgrammeVersion.SCOPE_PROGRAMME:
        raise Refusal(reason_pb2.REASON_ALLOCATION_NOT_POSSIBLE)
    return programme


def allocate(app: VouchersApp, tx: Transaction, row: Row[Any]) -> Chunk:
    """Does the next chunk of a run: first the file is read, then its rows are worked through."""
    return _next_rows(app, tx, row) if row.place else _read_file(app, tx, row)


def _read_file(app: VouchersApp, tx: Transaction, row: Row[Any]) -> Chunk:
    wanted = allocations.get(tx, row.argument["allocation"])
    with app.objects.open(allocations.BUCKET, wanted.id, sha256=wanted.sha256) as stream:
        count = allocations.stage(tx, row.id, allocation_file.read(buffered(stream)))
    invalid = allocations.count_invalid(tx, row.id)
    return Chunk({"line": 0}, {"invalid": invalid}, invalid, last=count == invalid, total=count)


def _next_rows(app: VouchersApp, tx: Transaction, row: Row[Any]) -> Chunk:
    rows = allocations.waiting(tx, row.id, row.place["line"], SIZE)
    result = {"allocated": 0, "refused": 0, "cents": 0, "taken": {}, **row.result}
    if rows:
        made = Allotment(app, tx, row.id, row.argument, rows, result["taken"])
        result["allocated"] += len(made.grants)
        result["refused"] += len(rows) - len(made.grants)
        result["cents"] += sum(grant.cents for grant in made.grants)
        result["taken"] = made.taken
    place = {"line": rows[-1].line} if rows else row.place
    return Chunk(place, result, len(rows), last=len(rows) < SIZE)
