"""Who has completed a course with a voucher may say something of it."""

from __future__ import annotations

from typing import Any

from services.catalogue.api.messages import is_uuid, last
from services.catalogue.store import course_feedback
from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo


def note_completion(_app: App, tx: Transaction, event: Any, info: EventInfo) -> None:
    """Keeps which opaque id has completed which course; not of the sandbox, and nobody who was not there."""
    course = last(event.ref.course)
    if not event.no_show and not event.ref.sandbox and is_uuid(course):
        course_feedback.add_completion(tx, course, last(event.ref.learner), info.time)
