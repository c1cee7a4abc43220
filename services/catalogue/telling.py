"""Tells others anew of all courses of an organisation, where what they need to know has come to count; a job
of `waymark consume catalogue`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.catalogue import events
from services.catalogue.store import courses, organisations, quality_holds
from services.platform.db.transaction import transaction

if TYPE_CHECKING:
    from services.platform.app import App

AT_ONCE = 200  # courses of one transaction


def tell_anew(app: App) -> None:
    """Tells of the courses of every organisation that waits for it, in small transactions."""
    while tell_next(app):
        pass


def tell_next(app: App) -> bool:
    """Does so with AT_ONCE of them; returns whether there were any to tell of."""
    with transaction(app) as tx:
        organisation = organisations.to_tell(tx)
        if organisation is None:
            return False
        ids = courses.touch_next(tx, organisation.id, organisation.tell_after, AT_ONCE)
        held = quality_holds.held_courses(tx, ids)
        for course in ids:
            row = courses.read(tx.connection, course)
            told = row.version, row.organisation_id, row.document
            tx.publish(events.course_changed(course, *told, removed=False, held=course in held))
        organisations.told(tx, organisation.id, ids[-1] if len(ids) == AT_ONCE else None)
    return True
