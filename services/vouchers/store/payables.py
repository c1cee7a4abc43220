"""Statements of payables: what was approved and is no redemption, on its way through a batch.

The functions about batches are those that `payouts` has for redemptions, with rows of the same shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, insert, select, text, tuple_, update

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.store import holds
from services.vouchers.store.payouts import HAS_ACCOUNT
from services.vouchers.store.quality_tables import holds as hold_table
from services.vouchers.store.settlement_tables import payables

WAITING, SETTLING, PAID, REPAID = 1, 2, 3, 4
_p = payables.c
_ACCOUNT = text(HAS_ACCOUNT.format(row="payables"))
_NO_ACCOUNT = text(f"NOT {_ACCOUNT.text}")
_ROW = select(
    _p.id,
    _p.subject,
    _p.organisation,
    _p.source_id,
    _p.shard,
    _p.batch_id,
    _p.state,
    _p.cents.label("cleared_cents"),
)


def add(
    tx: Transaction,
    subject: str,
    organisation: str,
    currency: str,
    shard: int,
    cents: int,
    source: str | None = None,
) -> None:
    """Inserts what is to be paid to an organisation; book the same as cleared, owned by `subject`, in the
    chain `shard`. `source`: id of the funding source that has it back once the bank has confirmed it."""
    values = {
        "id": new_id(),
        "subject": subject,
        "organisation": organisation,
        "source_id": source,
        "currency": currency,
        "shard": shard,
        "cents": cents,
    }
    tx.execute(insert(payables), values)


def get(tx: Transaction, payable: str) -> Row[Any]:
    """Returns a payable's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(payables).where(_p.id == payable))


def of_subjects(tx: Transaction, subjects: Sequence[str]) -> dict[str, Row[Any]]:
    """Returns the payables of some subjects, by subject; those without one are left out."""
    found = tx.execute(_ROW.where(_p.subject.in_(subjects))) if subjects else ()
    return {row.subject: row for row in found}


def listed(organisation: str, state: int) -> Select[Any]:
    """Returns the statement for payables; empty and zero mean any."""
    statement = select(payables)
    if organisation:
        statement = statement.where(_p.organisation == organisation)
    return statement.where(_p.state == state) if state else statement


def cleared(tx: Transaction, currency: str, limit: int) -> list[Row[Any]]:
    """Locks and returns what may go into a batch; its payees have an account."""
    waiting = _ROW.where(*_due(tx, currency), _ACCOUNT)
    return list(tx.execute(waiting.order_by(_p.id).limit(limit).with_for_update(key_share=True, of=payables)))


def skipped(tx: Transaction, currency: str) -> list[str]:
    """Returns the payees to whom nothing can be paid of what may be, for want of an account."""
    statement = select(_p.organisation).distinct().where(*_due(tx, currency), _NO_ACCOUNT)
    return list(tx.execute(statement.order_by(_p.organisation)).scalars())


def put_into_batch(tx: Transaction, batch: str, ids: Iterable[str]) -> None:
    """Binds payables to a batch."""
    _change(tx, ids, {"state": SETTLING, "batch_id": batch})


def stopped(tx: Transaction, batch: str) -> list[str]:
    """Locks and returns the payables of a batch that a hold on their payee stops by now."""
    statement = _ROW.where(_p.batch_id == batch, _stopped(tx)).order_by(_p.id)
    return [str(row.id) for row in tx.execute(statement.with_for_update(key_share=True, of=payables))]


def drop_stopped(tx: Transaction, batch: str) -> list[str]:
    """Takes what a hold stops by now out of a batch; returns the payables."""
    ids = stopped(tx, batch)
    take_out(tx, ids)
    return ids


def take_out(tx: Transaction, ids: Iterable[str]) -> None:
    """Frees payables for another batch; of one that was paid, book the same."""
    _change(tx, ids, {"state": WAITING, "batch_id": None})


def in_batch(tx: Transaction, batch: str) -> list[Row[Any]]:
    """Locks and returns the payables of a batch."""
    statement = _ROW.where(_p.batch_id == batch).order_by(_p.id)
    return list(tx.execute(statement.with_for_update(key_share=True)))


def set_paid(tx: Transaction, ids: Iterable[str]) -> None:
    """Marks payables as paid; book the same."""
    _change(tx, ids, {"state": PAID})


def paid_by(tx: Transaction, payments: Iterable[tuple[str, str]]) -> list[Row[Any]]:
    """Locks and returns the payables for which payments (batch, payee) went to the bank."""
    whose = tuple_(_p.batch_id, _p.organisation)
    statement = _ROW.where(whose.in_(list(payments)), _p.state.in_((PAID, REPAID))).order_by(_p.id)
    return list(tx.execute(statement.with_for_update(key_share=True)))


def set_repaid(tx: Transaction, ids: Iterable[str]) -> None:
    """Notes that the bank has confirmed what investors have back; book the same."""
    _change(tx, ids, {"state": REPAID})


def _change(tx: Transaction, ids: Iterable[str], values: dict[str, Any]) -> None:
    wanted = list(ids)
    if wanted:
        tx.execute(update(payables).where(_p.id.in_(wanted)).values(values))


def _due(tx: Transaction, currency: str) -> tuple[ColumnElement[bool], ...]:
    return _p.state == WAITING, _p.currency == currency, ~_stopped(tx)


def _stopped(tx: Transaction) -> Any:
    """The condition that a hold on the payee stands."""
    h = hold_table.c
    return select(h.id).where(h.target == _p.organisation, holds.stands(tx.now)).exists()
