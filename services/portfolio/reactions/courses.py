"""What the catalogue tells of courses: which steps need another one, and whose counsellor is told."""

from __future__ import annotations

from collections.abc import Sequence

from waymark.catalogue.v1.events_pb2 import CourseChanged, SessionRef
from waymark.portfolio.v1.events_pb2 import PathwayStalled

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo
from services.portfolio.store import stalled, step_courses, steps
from services.portfolio.store.steps import StepRef


def follow_course(_app: App, tx: Transaction, event: CourseChanged, _info: EventInfo) -> None:
    """Keeps a course as told and looks at the steps that wait for it; this version again, or an older one,
    changes nothing."""
    sessions = {session.session: _first_day(session) for session in event.sessions}
    if step_courses.put(tx, event.course, event.version, removed=event.removed, sessions=sessions):
        alert(tx, steps.lock_by_course(tx, event.course))


def alert(tx: Transaction, found: Sequence[StepRef]) -> None:
    """Tells once of those active ones among the locked pathways of these steps in which a step needs another
    course or session; ends the alert of those in which none does any more."""
    for pathway, needy in stalled.notice_courses(tx, sorted({(step.holder, step.pathway) for step in found})):
        tx.publish(PathwayStalled(pathway=pathway, steps=needy))


def _first_day(session: SessionRef) -> str:
    day = session.start_date
    return f"{day.year:04}-{day.month:02}-{day.day:02}" if session.HasField("start_date") else ""
