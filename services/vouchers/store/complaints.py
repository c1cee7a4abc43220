"""Statements of complaints."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.transaction import Transaction
from services.vouchers.store.quality_tables import complaints

_c = complaints.c


def add(tx: Transaction, values: dict[str, Any]) -> Row[Any] | None:
    """Inserts a complaint; returns its row, or None when there is one of the kind about the redemption."""
    statement = insert(complaints).values(values).on_conflict_do_nothing().returning(complaints)
    return tx.execute(statement).one_or_none()


def same(tx: Transaction, redemption: str, kind: int) -> str:
    """Returns the id of the complaint of a kind about a redemption."""
    statement = select(_c.id).where(_c.redemption_id == redemption, _c.kind == kind)
    return str(tx.execute(statement).scalar() or "")


def get(tx: Transaction, complaint: str) -> Row[Any]:
    """Returns a complaint's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(complaints).where(_c.id == complaint))


def count_since(tx: Transaction, target: str, days: int) -> int:
    """Returns how many complaints of the last `days` are about a redemption, a course or a provider, by the
    name of any."""
    collection, _, key = target.partition("/")
    about = {
        "redemptions": lambda: _c.redemption_id == key,
        "courses": lambda: _c.course == target,
        "organisations": lambda: _c.organisation == target,
    }[collection]()
    recent = _c.created_at > tx.now - timedelta(days=days)
    return int(tx.execute(select(func.count()).select_from(complaints).where(about, recent)).scalar_one())


def listed(learner: str, organisation: str) -> Select[Any]:
    """Returns the statement for complaints; empty means any."""
    statement = select(complaints)
    if learner:
        statement = statement.where(_c.learner == learner)
    return statement.where(_c.organisation == organisation) if organisation else statement
