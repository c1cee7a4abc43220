"""A learner was reported as not having been there."""

from __future__ import annotations

from waymark.vouchers.v1.events_pb2 import NoShowReported

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo
from services.portfolio.domain.steps import Stage
from services.portfolio.reactions.follow import follow


def react(_app: App, tx: Transaction, event: NoShowReported, _info: EventInfo) -> None:
    """Moves the learner's step for the course back to PLANNED, unless another redemption holds it."""
    follow(tx, event.ref, Stage.RELEASED, "NoShowReported")
