"""Redemptions of vouchers move the steps of pathways: what each event means, and how they follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo
from services.portfolio.domain.steps import Stage
from services.portfolio.reactions.moving import follow
from services.portfolio.store import steps

# To which stage of a redemption each event takes it. `Stage` says what becomes of the step.
STAGES: Mapping[type[Message], Stage] = {
    vouchers.RedemptionReserved: Stage.RESERVED,
    vouchers.RedemptionStarted: Stage.STARTED,
    vouchers.RedemptionDelivered: Stage.DELIVERED,
    vouchers.RedemptionAccepted: Stage.ACCEPTED,
    vouchers.RedemptionReleased: Stage.RELEASED,
    vouchers.NoShowReported: Stage.RELEASED,
}


def follow_redemption(_app: App, tx: Transaction, event: Any, _info: EventInfo) -> None:
    """Moves the learner's steps for the course of a redemption, in living pathways, to where it stands now.

    Right in any order and number of events: `Stage` says why. No such learner or step: no effect. What is
    accepted for a no-show gives the step back.
    """
    stage, redemption = STAGES[type(event)], event.ref
    if stage is Stage.ACCEPTED and event.no_show:
        stage = Stage.RELEASED
    holder = redemption.learner.removeprefix("learners/")
    found = steps.lock_by_course(tx, redemption.course, holder)
    for step in found:
        steps.note_stage(tx, step, redemption, stage)
    follow(tx, found, event)
