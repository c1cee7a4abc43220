"""Courses in the order of the transactions that changed them last, and all of one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, delete, literal, not_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.store.columns import UuidText
from services.catalogue.store.derived_tables import course_followers
from services.catalogue.store.quality_holds import ON_HOLD
from services.catalogue.store.tables import courses
from services.platform.db.horizon import HORIZON, settled
from services.platform.db.transaction import Transaction

AT_ONCE = 200  # courses of a moment that are in memory together


class Place(NamedTuple):
    """A place in the order: a transaction, and a course within it."""

    xid: int
    course: str

    def __str__(self) -> str:
        return f"{self.xid}-{self.course}"


BEGINNING = Place(0, "00000000-0000-0000-0000-000000000000")
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def place_of(token: str) -> Place:
    """Returns the place that a token tells; the beginning for an empty one."""
    xid, _, course = token.partition("-")
    return Place(int(xid), course) if token else BEGINNING


def followed_to(tx: Transaction, follower: str) -> Place:
    """Returns how far a follower has come; the beginning for a new one."""
    statement = select(course_followers.c.token).where(course_followers.c.name == follower)
    return place_of(tx.execute(statement).scalar() or "")


def follow_on(tx: Transaction, follower: str, place: Place) -> None:
    """Notes how far a follower has come, in the transaction that holds what it has made of it."""
    statement = insert(course_followers).values(name=follower, token=str(place))
    token = {"token": statement.excluded.token}
    tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=token))


def stop_others(tx: Transaction, family: str, follower: str) -> None:
    """Forgets how far the others of a family of followers have come, whose names begin with its own; who
    takes up one of their names again begins anew."""
    c = course_followers.c
    others = c.name.startswith(family, autoescape=True), c.name != follower
    tx.execute(delete(course_followers).where(*others))


def after(tx: Transaction, place: Place, size: int) -> Sequence[Row[Any]]:
    """Returns up to `size` courses that have changed after a place, removed ones as well; `on_hold` says
    which are held back."""
    order = courses.c.changed_xid, courses.c.id
    here = tuple_(literal(place.xid), literal(place.course, UuidText))
    statement = select(courses, ON_HOLD.label("on_hold")).order_by(*order).limit(size)
    return tx.execute(statement.where(tuple_(*order) > here, settled(courses.c.changed_xid))).all()


def is_ahead(tx: Transaction, place: Place) -> bool:
    """True for a place that this database has not come to: it is older than the one the place is of."""
    return bool(tx.execute(select(place.xid >= HORIZON)).scalar_one())


def offered(tx: Transaction) -> tuple[Place, Iterator[Row[Any]]]:
    """Returns the courses that are offered now and not held back, by id, in flat memory, and the place to go
    on from.

    All are of one moment, however long they are read: they come by one statement, and so does the horizon.
    What has changed above the horizon and is among them comes again, with the version it has.
    """
    moment = select(HORIZON.label("horizon")).subquery()
    statement = (
        select(moment.c.horizon, courses)
        .select_from(moment.outerjoin(courses, and_(courses.c.removed_time.is_(None), not_(ON_HOLD))))
        .order_by(courses.c.id)
    )
    rows = (row for part in tx.parts(statement, AT_ONCE) for row in part)
    first = next(rows)  # there is one, of nothing but the horizon where no course is offered

    def found() -> Iterator[Row[Any]]:
        if first.id is not None:
            yield first
            yield from rows

    return Place(first.horizon - 1, _LAST), found()
