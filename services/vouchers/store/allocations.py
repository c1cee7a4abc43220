"""Statements of allocations: their files, and the rows of each run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, func, insert, select

from services.platform.db.copying import copy_rows
from services.platform.db.transaction import Transaction
from services.platform.db.wire import Call, Prepared, named
from services.vouchers.domain.allocation_file import Named
from services.vouchers.store.names import ids_among
from services.vouchers.store.operation_tables import allocation_rows, allocations

BUCKET = "waymark-vouchers-allocations"
CONTENT_TYPE = "text/csv"
AT_ONCE = 5000  # rows of one statement
_rows = allocation_rows.c
# The range keeps a chunk from reading all rows of its run, and the setting, until the transaction ends, from
# comparing each of its rows with every other: a plan made once for any number of rows takes them for few.
_WITHOUT_LOOPS = Prepared("settle_without_loops", "SET LOCAL enable_nestloop = off")()
_SETTLE = named(
    "settle",
    """UPDATE allocation_rows r
SET outcome = n.outcome, reason_codes = n.codes, missing = n.missing, cents = n.cents, voucher_id = n.voucher
FROM (
  SELECT line, outcome, cents, voucher, string_to_array(codes, ' ') AS codes,
    string_to_array(missing, ' ') AS missing
  FROM unnest(CAST(:line AS bigint[]), CAST(:outcome AS smallint[]), CAST(:cents AS bigint[]),
    CAST(:voucher AS uuid[]), CAST(:codes AS text[]), CAST(:missing AS text[]))
    AS e (line, outcome, cents, voucher, codes, missing)
) AS n WHERE r.operation_id = :operation AND r.line = n.line AND r.line BETWEEN :first AND :last""",
)


class RowOutcome(IntEnum):
    """What became of a row."""

    WAITING = 1
    ALLOCATED = 2
    REFUSED = 3
    INVALID = 4


class Settled(NamedTuple):
    """What became of the row of a line: a voucher's id and value in cents, or codes and keys of missing
    facts."""

    line: int
    outcome: int
    cents: int
    voucher: str | None
    codes: Sequence[str]
    missing: Sequence[str]


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts an allocation."""
    return tx.execute(insert(allocations).values(values).returning(allocations)).one()


def get(tx: Transaction, allocation: str) -> Row[Any]:
    """Returns an allocation's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(allocations).where(allocations.c.id == allocation))


def known_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Returns those of `keys` that rows refer to, for the orphan sweep."""
    known = select(allocations.c.id).where(allocations.c.id.in_(ids_among(keys)))
    return set(tx.execute(known).scalars())


def stage(tx: Transaction, operation: str, rows: Iterable[Named]) -> int:
    """Keeps the rows of a file to be worked through; returns how many there are."""
    count, remaining = 0, iter(rows)
    while some := list(islice(remaining, AT_ONCE)):
        count += len(some)
        values = [
            {
                "operation_id": operation,
                "line": row.line,
                "learner": row.learner,
                "price_cents": row.price,
                "outcome": int(RowOutcome.INVALID if row.problem else RowOutcome.WAITING),
                "explanation": row.problem,
            }
            for row in some
        ]
        copy_rows(tx, allocation_rows, values)
    return count


def count_invalid(tx: Transaction, operation: str) -> int:
    """Returns how many rows cannot be read."""
    statement = select(func.count()).where(
        _rows.operation_id == operation, _rows.outcome == int(RowOutcome.INVALID)
    )
    return int(tx.execute(statement).scalar_one())


def waiting(tx: Transaction, operation: str, after: int, size: int) -> Sequence[Row[Any]]:
    """Returns the next rows to work on, after a line."""
    statement = (
        select(allocation_rows)
        .where(_rows.operation_id == operation, _rows.line > after, _rows.outcome == int(RowOutcome.WAITING))
        .order_by(_rows.line)
        .limit(size)
    )
    return tx.execute(statement).all()


def settling(operation: str, settled: Sequence[Settled]) -> Sequence[Call]:
    """Returns the calls that write what became of rows, which come in the order of their lines."""
    line, outcome, cents, voucher, codes, missing = zip(*settled, strict=True)
    settle = _SETTLE(
        operation=operation,
        first=line[0],
        last=line[-1],
        line=line,
        outcome=outcome,
        cents=cents,
        voucher=voucher,
        codes=[" ".join(each) for each in codes],  # neither has blanks in it
        missing=[" ".join(each) for each in missing],
    )
    return _WITHOUT_LOOPS, settle


def rows_of(operation: str, outcome: int) -> Select[Any]:
    """Returns the statement for the rows of a run; `outcome` 0: all."""
    statement = select(allocation_rows).where(_rows.operation_id == operation)
    return statement.where(_rows.outcome == outcome) if outcome else statement
