"""Statements of what the bank reports: files, what they say, and results of payments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.domain.bank_reports import Report
from services.vouchers.store.settlement_tables import (
    bank_report_entries,
    bank_reports,
    payout_batches,
    payouts,
)

_e = bank_report_entries.c
_FOUND = ("outcome", "batch_id", "organisation", "receivable_id", "excess_cents")
_SET_RESULTS = text("""UPDATE payouts p SET result = n.result, return_code = n.code, result_at = now()
FROM unnest(CAST(:batches AS uuid[]), CAST(:organisations AS text[]), CAST(:results AS smallint[]),
  CAST(:codes AS text[])) AS n (batch, organisation, result, code)
WHERE p.batch_id = n.batch AND p.organisation = n.organisation""")


def claim(tx: Transaction, report: Report) -> Row[Any]:
    """Locks and returns the row of a report, made now unless its message was taken in before."""
    values = {
        "id": new_id(),
        "format": int(report.format),
        "message_id": report.message_id,
        "page": report.page,
        "sha256": report.sha256,
        "bank_at": report.created,
        "entry_count": len(report.said),
        "imported_by": tx.principal.subject,
    }
    tx.execute(insert(bank_reports).values(values).on_conflict_do_nothing())
    known = {name: values[name] for name in ("format", "message_id", "page")}
    return tx.execute(select(bank_reports).filter_by(**known).with_for_update()).one()


def get(tx: Transaction, report: str) -> Row[Any]:
    """Returns a report's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(bank_reports).where(bank_reports.c.id == report))


def outcomes(tx: Transaction, report: str) -> dict[int, int]:
    """Returns the outcome of each statement of a report by its number."""
    rows = tx.execute(select(_e.number, _e.outcome).where(_e.report_id == report))
    return {row.number: row.outcome for row in rows}


def keep(tx: Transaction, report: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Writes statements of a report; of those that are there, what came of them."""
    if entries:
        statement = insert(bank_report_entries)
        changed = {name: statement.excluded[name] for name in _FOUND}
        rows = [{"report_id": report, **entry} for entry in entries]
        tx.execute(
            statement.on_conflict_do_update(index_elements=["report_id", "number"], set_=changed), rows
        )


def count(tx: Transaction, report: str, applied: int, unsettled: int) -> Row[Any]:
    """Writes how many statements were applied and how many are open; returns the report's row."""
    statement = (
        bank_reports.update()
        .where(bank_reports.c.id == report)
        .values(applied_count=applied, open_count=unsettled)
        .returning(bank_reports)
    )
    return tx.execute(statement).one()


def entries_of(report: str, outcome: int) -> Select[Any]:
    """Returns the statement for a report's entries; outcome 0 means any."""
    statement = select(bank_report_entries).where(_e.report_id == report)
    return statement.where(_e.outcome == outcome) if outcome else statement


def lock_batches(
    tx: Transaction, references: Collection[str], batches: Collection[str]
) -> dict[str, Row[Any]]:
    """Locks and returns, by id, the batches that have a payment with one of the references, or that are
    named, in order of their ids."""
    paid = select(payouts.c.batch_id).where(payouts.c.end_to_end_id.in_(references))
    statement = (
        select(payout_batches)
        .where(or_(payout_batches.c.id.in_(batches), payout_batches.c.id.in_(paid)))
        .order_by(payout_batches.c.id)
        .with_for_update(key_share=True)
    )
    return {str(row.id): row for row in tx.execute(statement)}


def payments_of(tx: Transaction, batches: Iterable[str]) -> list[Row[Any]]:
    """Returns every payment of some batches."""
    return list(tx.execute(select(payouts).where(payouts.c.batch_id.in_(list(batches)))))


def set_results(tx: Transaction, results: Sequence[tuple[str, str, int, str]]) -> None:
    """Writes what the bank said of payments: batch, provider, result, code of a return."""
    names = ("batches", "organisations", "results", "codes")
    tx.execute(_SET_RESULTS, dict(zip(names, map(list, zip(*results, strict=True)), strict=True)))
