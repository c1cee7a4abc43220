"""Reservations of vouchers count as bookings of the course."""

from __future__ import annotations

from typing import Any

from services.catalogue.api.messages import is_uuid, last
from services.catalogue.store import course_usage
from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo


def count_booking(_app: App, tx: Transaction, event: Any, _info: EventInfo) -> None:
    """Counts a booking, other than of the sandbox; the event leaves nothing but the course and the day."""
    course = last(event.ref.course)
    if not event.ref.sandbox and is_uuid(course):
        course_usage.add_booking(tx, course)
