"""What the catalogue tells of courses: which steps need another one, and whose counsellor is told."""

from __future__ import annotations

from collections.abc import Sequence

from waymark.catalogue.v1.events_pb2 import CourseChanged, SessionRef
from waymark.portfolio.v1.events_pb2 import PathwayStalled

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo
from services.portfolio.store import stalled, step_courses, steps
from services.portfolio.store.step_courses import PathwayKey
from services.portfolio.store.tables import pathway_steps

PATHWAYS = 500  # locked by one transaction


def follow_course(_app: App, tx: Transaction, event: CourseChanged, _info: EventInfo) -> None:
    """Keeps a course as told; this version again, or an older one, changes nothing. What waits for the course
    is looked at by and by (`look_on`)."""
    sessions = {session.session: _first_day(session) for session in event.sessions}
    step_courses.put(tx, event.course, event.version, removed=event.removed, sessions=sessions)


def look_on(tx: Transaction) -> bool:
    """Looks at the next pathways with a course that was told, at most PATHWAYS; returns whether any course
    was left."""
    left = step_courses.unfinished(tx)
    if left is None:
        return False
    course, last = left
    locked = steps.lock_pathways(tx, pathway_steps.c.course == course, after=last, limit=PATHWAYS)
    alert(tx, locked)
    step_courses.looked(tx, course, locked[-1] if len(locked) == PATHWAYS else None)
    return True


def alert(tx: Transaction, locked: Sequence[PathwayKey]) -> None:
    """Tells once of those active ones among locked pathways in which a step needs another course or session;
    ends the alert of those in which none does any more."""
    for pathway, needy in stalled.notice_courses(tx, locked):
        tx.publish(PathwayStalled(pathway=pathway, steps=needy))


def _first_day(session: SessionRef) -> str:
    day = session.start_date
    return f"{day.year:04}-{day.month:02}-{day.day:02}" if session.HasField("start_date") else ""
