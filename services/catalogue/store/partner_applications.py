"""Statements on applications to become a partner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.partner_application import State
from services.catalogue.store.partner_application_tables import partner_applications as table
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Adds an application of the caller's; returns its row. Raises Refusal(PARTNER_APPLICATION_OPEN)."""
    applicant = tx.principal.subject
    statement = insert(table).values(id=new_id(), applicant=applicant, **values).returning(table)
    try:
        with tx.connection.begin_nested():
            return tx.execute(statement).one()
    except IntegrityError as error:
        raise _open_already(tx, applicant) from error


def read(tx: Transaction, application: str, *, lock: bool = False) -> Row[Any]:
    """Returns the application, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(table).where(table.c.id == application)
    return tx.one(statement.with_for_update() if lock else statement)


def decide(tx: Transaction, application: str, state: State, **values: Any) -> Row[Any]:
    """Decides a locked application in the caller's name; returns its row."""
    decided = {"state": state, "decided_by": tx.principal.subject, "decide_time": func.now()}
    statement = update(table).where(table.c.id == application)
    statement = statement.values(**decided, **values, version=table.c.version + 1)
    return tx.execute(statement.returning(table)).one()


def reopen(tx: Transaction, application: str) -> None:
    """Lets a refused application wait for a decision again; of one in another state nothing changes. Raises
    Refusal(PARTNER_APPLICATION_OPEN) where its applicant has applied anew."""
    row = read(tx, application, lock=True)
    if row.state != State.REFUSED:
        return
    values: dict[str, Any] = {"state": State.OPEN, "decided_by": None, "decide_time": None}
    values |= {"refusal_reason": 0, "refusal_note": "", "version": row.version + 1}
    try:
        with tx.connection.begin_nested():
            tx.execute(update(table).where(table.c.id == application).values(values))
    except IntegrityError as error:
        raise _open_already(tx, row.applicant) from error


def _open_already(tx: Transaction, applicant: str) -> Refusal:
    other = select(table.c.id).where(table.c.applicant == applicant, table.c.state == State.OPEN)
    name = f"partnerApplications/{tx.execute(other).scalar()}"
    return Refusal(reason_pb2.REASON_PARTNER_APPLICATION_OPEN, metadata={"partner_application": name})


def listing(state: int) -> Select[Any]:
    """Selects applications in a state; 0: all."""
    statement = select(table)
    return statement.where(table.c.state == state) if state else statement
