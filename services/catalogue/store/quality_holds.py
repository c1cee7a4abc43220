"""Statements on holds of courses and organisations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, cast, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.store.quality_tables import quality_holds as table
from services.catalogue.store.tables import courses
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

_OPEN = table.c.lift_time.is_(None)
_HELD = select(table.c.subject).where(_OPEN)
_FIRST = "00000000-0000-0000-0000-000000000000"  # before the id of any course
# True of a course that is held back, or whose organisation is.
ON_HOLD = or_(
    (literal("courses/") + cast(courses.c.id, Text)).in_(_HELD),
    (literal("organisations/") + courses.c.organisation_id).in_(_HELD),
)
ON_HOLD_SQL = str(
    ON_HOLD.compile(compile_kwargs={"literal_binds": True})
)  # where `courses` goes by that name


def add(tx: Transaction, subject: str, organisation: str, reason: int) -> Row[Any]:
    """Adds a hold in the caller's name; returns its row. Raises Refusal(QUALITY_HOLD_OPEN)."""
    values = {"subject": subject, "organisation_id": organisation, "reason": reason}
    values |= {"id": new_id(), "placed_by": tx.principal.subject, "tell_after": _tell_after(subject)}
    try:
        with tx.connection.begin_nested():
            return tx.execute(insert(table).values(values).returning(table)).one()
    except IntegrityError as error:
        other = tx.execute(select(table.c.id).where(table.c.subject == subject, _OPEN)).scalar()
        name = f"qualityHolds/{other}"
        raise Refusal(reason_pb2.REASON_QUALITY_HOLD_OPEN, metadata={"quality_hold": name}) from error


def read(tx: Transaction, hold: str, *, lock: bool = False) -> Row[Any]:
    """Returns a hold, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(table).where(table.c.id == hold)
    return tx.one(statement.with_for_update() if lock else statement)


def lift(tx: Transaction, hold: Row[Any], outcome: int) -> Row[Any]:
    """Lifts a locked hold in the caller's name; returns its row."""
    values = {"outcome": outcome, "lifted_by": tx.principal.subject, "lift_time": func.now()}
    values["tell_after"] = _tell_after(hold.subject)
    return tx.execute(update(table).where(table.c.id == hold.id).values(values).returning(table)).one()


def _tell_after(subject: str) -> str | None:
    return _FIRST if subject.startswith("organisations/") else None


def to_tell(tx: Transaction) -> Row[Any] | None:
    """Returns a hold of an organisation, locked, whose courses are not all told of, if there is one."""
    statement = select(table).where(table.c.tell_after.is_not(None)).order_by(table.c.id).limit(1)
    return tx.execute(statement.with_for_update()).first()


def told(tx: Transaction, hold: str, last: str | None) -> None:
    """Notes the course that a locked hold has come to; None: it was the last."""
    tx.execute(update(table).where(table.c.id == hold).values(tell_after=last))


def listing(organisation: str, *, open_only: bool) -> Select[Any]:
    """Selects holds, of an organisation and its courses where named."""
    statement = select(table)
    if organisation:
        statement = statement.where(table.c.organisation_id == organisation)
    return statement.where(_OPEN) if open_only else statement


def is_open(tx: Transaction, *subjects: str) -> bool:
    """True while one of them is held back."""
    return tx.execute(select(table.c.id).where(table.c.subject.in_(subjects), _OPEN)).first() is not None


def on_hold(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Returns those of some courses that are held back, themselves or with their organisation."""
    return set(tx.execute(select(courses.c.id).where(courses.c.id.in_(ids), ON_HOLD)).scalars())


def held_courses(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Returns those of some courses that are held back themselves."""
    names = [f"courses/{course}" for course in ids]
    found = tx.execute(select(table.c.subject).where(table.c.subject.in_(names), _OPEN)).scalars()
    return {name.partition("/")[2] for name in found}


def all_held(connection: Connection) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the ids of all courses and of all organisations that are held back."""
    found = [name.split("/") for name in connection.execute(select(table.c.subject).where(_OPEN)).scalars()]
    courses, organisations = (
        frozenset(key for kind, key in found if kind == wanted) for wanted in ("courses", "organisations")
    )
    return courses, organisations
