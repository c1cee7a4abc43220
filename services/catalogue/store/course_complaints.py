"""Statements on complaints about courses."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.store.tables import course_complaints as table
from services.catalogue.store.tables import courses
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal


class State(IntEnum):
    """Where a complaint stands, as in the contract."""

    OPEN = 1
    UPHELD = 2
    DISMISSED = 3


def add(tx: Transaction, course: str, kind: int) -> Row[Any]:
    """Adds a complaint of the caller's; returns its row. Raises Refusal(COURSE_COMPLAINT_OPEN)."""
    filer = tx.principal.subject
    statement = insert(table).values(id=new_id(), course_id=course, kind=kind, filed_by=filer)
    try:
        with tx.connection.begin_nested():
            return tx.execute(statement.returning(table)).one()
    except IntegrityError as error:
        row = table.c
        other = select(row.id).where(row.course_id == course, row.filed_by == filer, row.state == State.OPEN)
        name = f"courses/{course}/complaints/{tx.execute(other).scalar()}"
        raise Refusal(reason_pb2.REASON_COURSE_COMPLAINT_OPEN, metadata={"complaint": name}) from error


def lock(tx: Transaction, course: str, complaint: str) -> Row[Any]:
    """Returns a complaint about a course, locked; raises Refusal(NOT_FOUND)."""
    return tx.one(select(table).where(table.c.id == complaint, table.c.course_id == course).with_for_update())


def decide(tx: Transaction, complaint: str, state: State, reason: str) -> Row[Any]:
    """Decides a locked complaint in the caller's name; returns its row."""
    values = {"state": state, "decision_reason": reason, "decide_time": func.now()}
    statement = update(table).where(table.c.id == complaint)
    return tx.execute(statement.values(decided_by=tx.principal.subject, **values).returning(table)).one()


def listing(course: str, state: int, filed_by: str, organisation: str) -> Select[Any]:
    """Selects complaints about a course, in a state, of who filed them, about the courses of an organisation;
    "" or 0: all."""
    statement = select(table)
    for column, wanted in ((table.c.course_id, course), (table.c.state, state), (table.c.filed_by, filed_by)):
        if wanted:
            statement = statement.where(column == wanted)
    if organisation:
        offered = select(courses.c.id).where(courses.c.organisation_id == organisation)
        statement = statement.where(table.c.course_id.in_(offered))
    return statement
