"""Statements on appeals of partners."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.appeal import State
from services.catalogue.store.quality_tables import appeals as table
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal


def add(tx: Transaction, subject: str, organisation: str | None, against: str, reason: str) -> Row[Any]:
    """Adds an appeal in the caller's name; returns its row. Raises Refusal(ALREADY_EXISTS)."""
    values = {"subject": subject, "organisation_id": organisation, "against": against, "reason": reason}
    values |= {"id": new_id(), "filed_by": tx.principal.subject}
    try:
        with tx.connection.begin_nested():
            return tx.execute(insert(table).values(values).returning(table)).one()
    except IntegrityError as error:
        other = select(table.c.id).where(table.c.subject == subject, table.c.state != State.UPHELD)
        name = f"appeals/{tx.execute(other).scalar()}"
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS, metadata={"appeal": name}) from error


def lock(tx: Transaction, appeal: str) -> Row[Any]:
    """Returns an appeal, locked; raises Refusal(NOT_FOUND)."""
    return tx.one(select(table).where(table.c.id == appeal).with_for_update())


def decide(tx: Transaction, appeal: str, state: State, finding: str) -> Row[Any]:
    """Decides a locked appeal in the caller's name; returns its row."""
    values = {"state": state, "finding": finding, "decided_by": tx.principal.subject}
    statement = update(table).where(table.c.id == appeal)
    return tx.execute(statement.values(decide_time=func.now(), **values).returning(table)).one()


def listing(state: int, organisation: str, filed_by: str) -> Select[Any]:
    """Selects appeals in a state, 0: in any; of an organisation or who filed them where one is named."""
    statement = select(table)
    if organisation:
        statement = statement.where(
            or_(table.c.organisation_id == organisation, table.c.filed_by == filed_by)
        )
    return statement.where(table.c.state == state) if state else statement
