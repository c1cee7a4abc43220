"""Statements on how often courses are looked at and booked; nobody is kept who did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, func, select, text

from services.catalogue.store.tables import course_usage, courses
from services.platform.db.transaction import Transaction

# A course that there is not counts nothing.
_COUNT = text(
    """
    INSERT INTO course_usage AS counted (course_id, day, views, bookings)
    SELECT id, current_date, :views, :bookings FROM courses WHERE id = CAST(:course AS uuid)
    ON CONFLICT (course_id, day) DO UPDATE SET
      views = counted.views + excluded.views, bookings = counted.bookings + excluded.bookings
    """
)


def add_views(tx: Transaction, views: Mapping[str, int]) -> None:
    """Adds views of courses, by id, to the present day."""
    tx.execute(_COUNT, [{"course": key, "views": views[key], "bookings": 0} for key in sorted(views)])


def add_booking(tx: Transaction, course: str) -> None:
    """Adds a booking of a course to the present day."""
    tx.execute(_COUNT, {"course": course, "views": 0, "bookings": 1})


def listing(organisation: str, first: date, last: date) -> Select[Any]:
    """Selects (course_id, views, bookings) over a period, both days included, of an organisation's courses
    that have any."""
    row = course_usage.c
    columns = (row.course_id, func.sum(row.views).label("views"), func.sum(row.bookings).label("bookings"))
    sums = _of(organisation, first, last, *columns).group_by(row.course_id).subquery("sums")
    return select(sums)


def total(tx: Transaction, organisation: str, first: date, last: date) -> Row[Any]:
    """Returns (views, bookings) of all courses of an organisation over a period."""
    row = course_usage.c
    sums = (func.coalesce(func.sum(each), 0).label(each.name) for each in (row.views, row.bookings))
    return tx.execute(_of(organisation, first, last, *sums)).one()


def _of(organisation: str, first: date, last: date, *columns: Any) -> Select[Any]:
    joined = course_usage.join(courses, courses.c.id == course_usage.c.course_id)
    return (
        select(*columns)
        .select_from(joined)
        .where(courses.c.organisation_id == organisation, course_usage.c.day.between(first, last))
    )
