"""Statements on what learners say of courses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.domain.course_feedback import PUBLIC, Rated
from services.catalogue.store.quality_tables import course_completions
from services.catalogue.store.quality_tables import course_feedback as table
from services.catalogue.store.tables import courses
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction

_PUBLIC = table.c.state.in_([int(state) for state in PUBLIC])


def add_completion(tx: Transaction, course: str, learner: str, at: datetime) -> None:
    """Notes that a learner has completed a course, as told `at` that time (UTC)."""
    statement = insert(course_completions).values(course_id=course, learner=learner, complete_time=at)
    tx.execute(statement.on_conflict_do_nothing())


def has_completed(tx: Transaction, course: str) -> bool:
    """True when the caller has completed a course."""
    row = course_completions.c
    statement = select(row.course_id).where(row.course_id == course, row.learner == tx.principal.subject)
    return tx.execute(statement).first() is not None


def own(tx: Transaction, course: str) -> Row[Any] | None:
    """Returns what the caller has said of a course, locked; None for nothing."""
    statement = select(table).where(table.c.course_id == course, table.c.author == tx.principal.subject)
    return tx.execute(statement.with_for_update()).first()


def put(tx: Transaction, course: str, rating: int, comment: str) -> Row[Any]:
    """Writes what the caller says of a course in place of what was said before; returns its row."""
    said = {"rating": rating, "comment": comment}
    statement = insert(table).values(id=new_id(), course_id=course, author=tx.principal.subject, **said)
    changed = said | {"answer": "", "answer_time": None, "create_time": func.now()}
    upsert = statement.on_conflict_do_update(index_elements=["course_id", "author"], set_=changed)
    return tx.execute(upsert.returning(table)).one()


def lock(tx: Transaction, course: str, feedback: str) -> Row[Any]:
    """Returns feedback on a course, locked; raises Refusal(NOT_FOUND)."""
    return tx.one(select(table).where(table.c.id == feedback, table.c.course_id == course).with_for_update())


def change(tx: Transaction, feedback: str, **values: Any) -> Row[Any]:
    """Changes columns of locked feedback; returns its row."""
    return tx.execute(update(table).where(table.c.id == feedback).values(values).returning(table)).one()


def answer(tx: Transaction, feedback: str, said: str) -> Row[Any]:
    """Writes the provider's answer; returns the row."""
    return change(tx, feedback, answer=said, answer_time=func.now())


def remove(tx: Transaction, row: Row[Any]) -> None:
    """Deletes feedback; what was hidden cannot be given anew."""
    tx.execute(delete(table).where(table.c.id == row.id))
    if row.state not in PUBLIC:
        key = course_completions.c
        done = key.course_id == row.course_id, key.learner == row.author
        tx.execute(delete(course_completions).where(*done))


def forget(tx: Transaction, learner: str, at: datetime) -> None:
    """Deletes all that is kept of a learner from before they erased their portfolio `at` that time, UTC: what
    they said, and which courses they completed."""
    tx.execute(delete(table).where(table.c.author == learner, table.c.create_time <= at))
    done = course_completions.c
    before = or_(done.complete_time.is_(None), done.complete_time <= at)
    tx.execute(delete(course_completions).where(done.learner == learner, before))


def listing(course: str, reader: str) -> Select[Any]:
    """Selects what is shown of a course, and what the reader has said of it."""
    return select(table).where(table.c.course_id == course, or_(_PUBLIC, table.c.author == reader))


def queue() -> Select[Any]:
    """Selects what waits for staff."""
    return select(table).where(text("course_feedback.state IN (2, 4)"))  # as its index says it


def rated(tx: Transaction, course: str) -> Rated:
    """Returns how a course is rated by what is shown."""
    return _rated(tx, table.c.course_id == course)


def rated_since(tx: Transaction, organisations: Sequence[str], since: datetime | None) -> Rated:
    """Returns how the courses of organisations were rated after a moment, by what is shown."""
    offered = select(courses.c.id).where(courses.c.organisation_id.in_(organisations))
    recent = [table.c.create_time > since] if since is not None else []
    return _rated(tx, table.c.course_id.in_(offered), *recent)


def _rated(tx: Transaction, *where: Any) -> Rated:
    total = func.coalesce(func.sum(table.c.rating), 0).label("total")
    row = tx.execute(select(func.count().label("ratings"), total).where(_PUBLIC, *where)).one()
    return Rated.of(row.ratings, row.total)
