"""Statements of holds: what stops money from being paid."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, insert, or_, select, text, update

from services.platform.db.transaction import Transaction
from services.vouchers.domain.states import BatchState
from services.vouchers.store.names import uuid_if_any
from services.vouchers.store.quality_tables import holds
from services.vouchers.store.settlement_tables import payout_batches

_h = holds.c
_APPROVED = text("""SELECT b.id FROM payout_batches b
WHERE b.state = :approved AND (
  EXISTS (SELECT 1 FROM redemptions r WHERE r.batch_id = b.id
    AND :target IN ('redemptions/' || r.id, 'redemptions/' || r.part_of, r.course, r.organisation))
  OR EXISTS (SELECT 1 FROM payables p WHERE p.batch_id = b.id AND p.organisation = :target))
ORDER BY b.id LIMIT 50""")
# A payee may be known before the catalogue tells of it.
_KNOWN = text("""SELECT EXISTS (SELECT 1 FROM redemptions WHERE id = CAST(:redemption AS uuid))
  OR EXISTS (SELECT 1 FROM courses WHERE name = :target)
  OR EXISTS (SELECT 1 FROM organisations WHERE name = :target)
  OR EXISTS (SELECT 1 FROM bank_accounts WHERE organisation = :target)
  OR EXISTS (SELECT 1 FROM payables WHERE organisation = :target)""")


def known(tx: Transaction, target: str) -> bool:
    """True when there is a redemption, a course or a payee of this name: a hold on another stops nothing."""
    asked = {"target": target, "redemption": uuid_if_any(target, "redemptions")}
    return bool(tx.execute(_KNOWN, asked).scalar_one())


def add(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts a hold; returns its row. What is approved after whoever placed it was told, it stops."""
    wait_for_approvals(tx)
    return tx.execute(insert(holds).values(values).returning(holds)).one()


def wait_for_approvals(tx: Transaction) -> None:
    """Waits for approvals under way, and lets later ones wait for the end of this transaction."""
    waiting = payout_batches.c.state.in_([int(BatchState.OPEN), int(BatchState.FROZEN)])
    statement = select(payout_batches.c.id).where(waiting).order_by(payout_batches.c.id)
    tx.execute(statement.with_for_update(read=True))


def approved_batches(tx: Transaction, target: str) -> list[str]:
    """Returns the batches that pay what a hold on `target` stops and are approved, at most 50, by id."""
    found = tx.execute(_APPROVED, {"target": target, "approved": int(BatchState.APPROVED)})
    return [str(batch) for batch in found.scalars()]


def get(tx: Transaction, hold: str) -> Row[Any]:
    """Locks and returns a hold; raises Refusal(NOT_FOUND)."""
    return tx.one(select(holds).where(_h.id == hold).with_for_update())


def renew(tx: Transaction, hold: str, ends: datetime | None, reason: bytes | None) -> Row[Any]:
    """Puts the end of a locked hold off, with a sealed reason; returns its row. Call `wait_for_approvals`
    before the look at its end: what is approved later, it stops."""
    values = {"ends_at": ends, "renewals": _h.renewals + 1, "sealed_renewal": reason}
    who = {"renewed_by": tx.principal.subject, "renewed_at": tx.now}
    return tx.execute(update(holds).where(_h.id == hold).values(**values, **who).returning(holds)).one()


def release(tx: Transaction, hold: str, finding: bytes | None) -> Row[Any]:
    """Ends a hold with a sealed finding; returns its row. The database refuses whoever placed it."""
    values = {"released_by": tx.principal.subject, "released_at": tx.now, "sealed_finding": finding}
    return tx.execute(update(holds).where(_h.id == hold).values(values).returning(holds)).one()


def listed(now: datetime, *, ended: bool) -> Select[Any]:
    """Returns the statement for holds; `ended`: released and run out ones too."""
    return select(holds) if ended else select(holds).where(stands(now))


def stands(now: datetime) -> ColumnElement[bool]:
    """The condition that a hold is neither released nor run out."""
    return and_(_h.released_at.is_(None), or_(_h.ends_at.is_(None), _h.ends_at > now))
