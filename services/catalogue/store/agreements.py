"""Statements on agreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Date, Row, Select, Text, cast, func, insert, or_, select, text, update

from services.catalogue.domain.agreement import EndReason, State
from services.catalogue.store.agreement_tables import agreements
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Adds a draft of the caller's; returns its row."""
    own = {"id": new_id(), "drafted_by": tx.principal.subject}
    return tx.execute(insert(agreements).values(**own, **values).returning(agreements)).one()


def rewrite(tx: Transaction, agreement: str, values: Mapping[str, Any]) -> Row[Any]:
    """Changes a locked draft; it is the caller's from now on, so that another person activates it."""
    return change(tx, agreement, {**values, "drafted_by": tx.principal.subject})


def read(tx: Transaction, agreement: str, *, lock: bool = False) -> Row[Any]:
    """Returns the agreement, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(agreements).where(agreements.c.id == agreement)
    return tx.one(statement.with_for_update() if lock else statement)


def change(tx: Transaction, agreement: str, values: Mapping[str, Any]) -> Row[Any]:
    """Changes columns, counts the version up, returns the row."""
    statement = update(agreements).where(agreements.c.id == agreement)
    counted = {**values, "version": agreements.c.version + 1}
    return tx.execute(statement.values(counted).returning(agreements)).one()


def activate(tx: Transaction, agreement: str) -> Row[Any]:
    """Puts a locked agreement in force in the caller's name, from today unless it says from when."""
    values = {
        "state": State.ACTIVE,
        "activated_by": tx.principal.subject,
        "activate_time": func.now(),
        "reviewed_at": func.now(),
        "start_date": func.coalesce(agreements.c.start_date, func.current_date()),
    }
    return change(tx, agreement, values)


def end(tx: Transaction, agreement: str, reason: int) -> Row[Any]:
    """Ends a locked agreement now."""
    return change(tx, agreement, {"state": State.ENDED, "end_reason": reason, "end_time": func.now()})


def end_those_over(tx: Transaction) -> Sequence[Row[Any]]:
    """Ends all whose last day is over; returns their rows."""
    over = (agreements.c.state == State.ACTIVE) & (agreements.c.end_date < func.current_date())
    values = {
        "state": State.ENDED,
        "end_reason": EndReason.TERM,
        "end_time": func.now(),
        "version": agreements.c.version + 1,
    }
    return tx.execute(update(agreements).where(over).values(values).returning(agreements)).all()


_REMIND = text(
    """
    UPDATE agreements SET reminded_at = now()
    WHERE state = 2 AND reminded_at IS NULL
      AND reviewed_at <= now() - make_interval(months => review_months - 1)
    RETURNING *
    """
)


def to_remind(tx: Transaction) -> Sequence[Row[Any]]:
    """Marks those whose review is due within a month as told; returns the rows of those not told before."""
    return tx.execute(_REMIND).all()


def listing(parties: Sequence[str], state: int, review_before: date | None, person: str) -> Select[Any]:
    """Selects the agreements that all of `parties` are parties of, in a state, in force and to be reviewed
    before a day, looked after or watched by a person; what is empty fits all."""
    a = agreements.c
    statement = select(agreements)
    if review_before is not None:  # as `events.review_date` counts
        reviewed = cast(a.reviewed_at, Date)
        statement = statement.where(
            a.state == State.ACTIVE, reviewed + func.make_interval(0, a.review_months) < review_before
        )
    if person:
        statement = statement.where(or_(cast(a.owner, Text) == person, cast(a.monitor, Text) == person))
    if parties:
        statement = statement.where(agreements.c.parties.contains(list(parties)))
    return statement.where(agreements.c.state == state) if state else statement
