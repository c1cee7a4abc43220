"""What the catalogue tells of courses: which steps are planned again or need another course."""

from __future__ import annotations

from waymark.catalogue.v1.events_pb2 import CourseChanged, SessionRef

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo
from services.portfolio.reactions.moving import follow
from services.portfolio.store import step_courses, steps


def follow_course(_app: App, tx: Transaction, event: CourseChanged, _info: EventInfo) -> None:
    """Keeps a course as told and looks at the steps that wait for it; this version again, or an older one,
    changes nothing."""
    kept = step_courses.put(
        tx,
        event.course,
        event.version,
        removed=event.removed,
        sessions={each.session: _first_day(each) for each in event.sessions if not each.cancelled},
        cancelled=[each.session for each in event.sessions if each.cancelled],
    )
    if kept:
        follow(tx, steps.lock_by_course(tx, event.course), event)


def _first_day(session: SessionRef) -> str:
    day = session.start_date
    return f"{day.year:04}-{day.month:02}-{day.day:02}" if session.HasField("start_date") else ""
