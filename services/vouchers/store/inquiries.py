"""Statements of questions to applicants."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from services.platform.db.transaction import Transaction
from services.vouchers.domain.states import InquiryState
from services.vouchers.store.desk_tables import inquiries

_i = inquiries.c


def add(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts a question."""
    return tx.execute(insert(inquiries).values(values).returning(inquiries)).one()


def get(tx: Transaction, application_id: str, inquiry_id: str) -> Row[Any]:
    """Returns a question of this application, locked; raises Refusal(NOT_FOUND)."""
    statement = select(inquiries).where(_i.id == inquiry_id, _i.application_id == application_id)
    return tx.one(statement.with_for_update(key_share=True))


def change(tx: Transaction, inquiry_id: str, values: dict[str, Any]) -> Row[Any]:
    """Writes what became of a question; returns the new row."""
    return tx.execute(update(inquiries).where(_i.id == inquiry_id).values(values).returning(inquiries)).one()


def of_application(application_id: str) -> Select[Any]:
    """Returns the statement for an application's questions."""
    return select(inquiries).where(_i.application_id == application_id)


def latest_due(tx: Transaction, application_id: str) -> date | None:
    """Returns the last day on which an open question can be answered; None when none is open."""
    statement = select(func.max(_i.due_date)).where(
        _i.application_id == application_id, _i.state == InquiryState.OPEN
    )
    due: date | None = tx.execute(statement).scalar()
    return due


def withdraw_open(tx: Transaction, application_id: str) -> None:
    """Takes back what is still open, because nobody needs the answer any more."""
    open_ones = (_i.application_id == application_id) & (_i.state == InquiryState.OPEN)
    tx.execute(update(inquiries).where(open_ones).values(state=int(InquiryState.WITHDRAWN)))
