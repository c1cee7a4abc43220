"""Statements on how agreements go: targets, reviews, feedback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Table, bindparam, func, insert, select, update

from services.catalogue.domain.agreement_review import Measured
from services.catalogue.domain.course_feedback import Rated
from services.catalogue.store import agreements
from services.catalogue.store.agreement_tables import agreement_reviews, agreement_targets
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction

_MEASURE = (
    update(agreement_targets)
    .where(agreement_targets.c.id == bindparam("target"))
    .values(current=bindparam("now"), value=func.coalesce(bindparam("anew"), agreement_targets.c.value))
)


def add(tx: Transaction, table: Table, agreement: str, values: Mapping[str, Any]) -> Row[Any]:
    """Adds a target, review or feedback to an agreement; returns its row."""
    own = {"id": new_id(), "agreement_id": agreement}
    return tx.execute(insert(table).values(**own, **values).returning(table)).one()


def targets_of(tx: Transaction, agreement: str) -> Sequence[Row[Any]]:
    """Returns the targets of an agreement."""
    statement = select(agreement_targets).where(agreement_targets.c.agreement_id == agreement)
    return tx.execute(statement.order_by(agreement_targets.c.id)).all()


def review(
    tx: Transaction, agreement: str, verdict: int, told: Sequence[Measured], values: Any, beneficiaries: Rated
) -> Row[Any]:
    """Adds a review of a locked agreement in the caller's name and notes what it tells of targets, and how
    learners rate; the months to the next begin anew. Returns the review's row."""
    if told:
        tx.execute(
            _MEASURE, [{"target": each.target, "now": each.current, "anew": each.value} for each in told]
        )
    agreements.change(tx, agreement, {"reviewed_at": func.now(), "reminded_at": None})
    row = {"verdict": verdict, "values": values, "reviewed_by": tx.principal.subject}
    return add(tx, agreement_reviews, agreement, row | {"beneficiaries": asdict(beneficiaries)})
