"""Statements of simulations: which applications to try, and which of them come out differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, select, tuple_

from services.platform.db.copying import copy_rows
from services.platform.db.transaction import Transaction
from services.vouchers.domain.states import ApplicationState as State
from services.vouchers.store.operation_tables import simulation_changes
from services.vouchers.store.tables import applications

_a = applications.c
_DECIDED = (int(State.GRANTED), int(State.REFUSED))


def count_decided(tx: Transaction, programme_id: str) -> int:
    """Returns how many applications of a programme are decided by now, on facts that are still kept."""
    statement = select(func.count()).select_from(applications)
    return int(tx.execute(statement.where(*_tried(programme_id))).scalar_one())


def decided(
    tx: Transaction, programme_id: str, until: datetime, after: tuple[str, str] | None, size: int
) -> Sequence[Row[Any]]:
    """Returns the next decided applications that were made before `until`, oldest first, without those whose
    facts were let go of.

    `after`: time (ISO 8601) and id of the last one before.
    """
    statement = select(applications).where(*_tried(programme_id), _a.created_at < until)
    if after is not None:
        created = literal(datetime.fromisoformat(after[0]), _a.created_at.type)
        last = tuple_(created, literal(after[1], _a.id.type))
        statement = statement.where(tuple_(_a.created_at, _a.id) > last)
    return tx.execute(statement.order_by(_a.created_at, _a.id).limit(size)).all()


def _tried(programme_id: str) -> tuple[ColumnElement[bool], ...]:
    return _a.programme_id == programme_id, _a.state.in_(_DECIDED), _a.facts_let_go_at.is_(None)


def keep(tx: Transaction, changes: Sequence[Mapping[str, Any]]) -> None:
    """Keeps what would come out differently."""
    copy_rows(tx, simulation_changes, changes)


def changes(operation: str) -> Select[Any]:
    """Returns the statement for the changes that a simulation found."""
    return select(simulation_changes).where(simulation_changes.c.operation_id == operation)
