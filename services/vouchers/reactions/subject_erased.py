"""SubjectErased: whoever erased their portfolio is let go here too."""

from __future__ import annotations

from datetime import UTC

from waymark.portfolio.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.platform.events.cloudevents import EventInfo
from services.vouchers.app import VouchersApp
from services.vouchers.store import erasures


def subject_erased(
    _app: VouchersApp, tx: Transaction, event: events_pb2.SubjectErased, _info: EventInfo
) -> None:
    """Forgets what was told of and written about them at once, or once no case of theirs is open any more."""
    learner = event.holder.replace("holders/", "learners/", 1)
    erasures.mark(tx, learner, event.erase_time.ToDatetime(tzinfo=UTC))
    erasures.forget(tx, learner=learner)
