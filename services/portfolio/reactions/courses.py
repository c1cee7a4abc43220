"""What the catalogue tells of courses: which steps are planned again or need another course."""

from __future__ import annotations

from waymark.catalogue.v1.events_pb2 import CourseChanged, SessionRef

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo
from services.portfolio.reactions.moving import follow
from services.portfolio.store import step_courses, steps
from services.portfolio.store.tables import pathway_steps

PATHWAYS = 500  # locked by one transaction


def follow_course(_app: App, tx: Transaction, event: CourseChanged, _info: EventInfo) -> None:
    """Keeps a course as told; this version again, or an older one, changes nothing. What waits for the course
    is looked at by and by (`look_on`)."""
    step_courses.put(
        tx,
        event.course,
        event.version,
        removed=event.removed,
        sessions={each.session: _first_day(each) for each in event.sessions if not each.cancelled},
        cancelled=[each.session for each in event.sessions if each.cancelled],
    )


def look_on(tx: Transaction) -> bool:
    """Looks at the next pathways with a course that was told, at most PATHWAYS; returns whether any course
    was left."""
    left = step_courses.unfinished(tx)
    if left is None:
        return False
    course, last = left
    planned = pathway_steps.c.course == course
    locked = steps.lock_pathways(tx, planned, after=last, limit=PATHWAYS)
    follow(tx, steps.of_locked(tx, planned, locked), CourseChanged.DESCRIPTOR.name)
    step_courses.looked(tx, course, locked[-1] if len(locked) == PATHWAYS else None)
    return True


def _first_day(session: SessionRef) -> str:
    day = session.start_date
    return f"{day.year:04}-{day.month:02}-{day.day:02}" if session.HasField("start_date") else ""
