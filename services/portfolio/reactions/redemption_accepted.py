"""A delivery was accepted."""

from __future__ import annotations

from waymark.vouchers.v1.events_pb2 import RedemptionAccepted

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo
from services.portfolio.domain.steps import Stage
from services.portfolio.reactions.follow import follow


def react(_app: App, tx: Transaction, event: RedemptionAccepted, _info: EventInfo) -> None:
    """Moves the learner's step for the course to CONFIRMED; what pays for a no-show gives the step back."""
    stage = Stage.RELEASED if event.no_show else Stage.ACCEPTED
    follow(tx, event.ref, stage, "RedemptionAccepted")
