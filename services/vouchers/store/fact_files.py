"""Statements of files of facts, and of what is wrong in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from services.platform.db.copying import copy_rows
from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.platform.operations.store import OPEN
from services.platform.operations.table import operations
from services.vouchers.store.names import ids_among
from services.vouchers.store.operation_tables import learner_fact_files, learner_fact_findings

BUCKET = "waymark-vouchers-facts"
CONTENT_TYPE = "text/csv"
_f = learner_fact_files.c


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts a file."""
    return tx.execute(insert(learner_fact_files).values(values).returning(learner_fact_files)).one()


def get(tx: Transaction, file: str, *, locked: bool = False) -> Row[Any]:
    """Returns a file's row; raises Refusal(NOT_FOUND)."""
    statement = select(learner_fact_files).where(_f.id == file)
    return tx.one(statement.with_for_update() if locked else statement)


def taken(tx: Transaction, file: str, operation: str) -> None:
    """Notes which operation works through a file."""
    tx.execute(update(learner_fact_files).where(_f.id == file).values(operation_id=operation))


def known_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Returns those of `keys` that work under way needs; every other file is to be gone."""
    working = operations.c.id == _f.operation_id, operations.c.state.in_(OPEN)
    known = select(_f.id).where(_f.id.in_(ids_among(keys)), *working)
    return set(tx.execute(known).scalars())


def find(tx: Transaction, operation: str, found: Iterable[tuple[int, Violation]], most: int) -> int:
    """Keeps what is wrong in which line, the first `most` of it; returns how much that is."""
    rows = [
        {
            "operation_id": operation,
            "line": line,
            "place": place,
            "field": violation.field,
            "explanation": violation.description,
        }
        for place, (line, violation) in enumerate(islice(found, most))
    ]
    copy_rows(tx, learner_fact_findings, rows)
    return len(rows)


def findings(operation: str) -> Select[Any]:
    """Returns the statement for what an import found wrong."""
    return select(learner_fact_findings).where(learner_fact_findings.c.operation_id == operation)
