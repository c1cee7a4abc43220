"""Who has erased their portfolio is not kept here either: what they said of courses, which they completed."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from services.catalogue.api.messages import last
from services.catalogue.store import course_feedback
from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo


def forget_subject(_app: App, tx: Transaction, event: Any, _info: EventInfo) -> None:
    """Deletes feedback with its answers, hidden or not, and completions of an opaque id from before the
    erasure, if there are any. Who came back since keeps what came after: the event may be told again."""
    course_feedback.forget(tx, last(event.holder), event.erase_time.ToDatetime(tzinfo=UTC))
