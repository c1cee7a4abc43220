"""Redemptions of vouchers move the steps of pathways: what each event means, and how they follow it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import ARRAY, ColumnElement, Text, and_, any_, literal
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo
from services.portfolio.domain.steps import Stage
from services.portfolio.reactions.moving import follow
from services.portfolio.store import steps
from services.portfolio.store.tables import pathway_steps

# To which stage of a redemption each event takes it. `Stage` says what becomes of the step.
STAGES: Mapping[type[Message], Stage] = {
    vouchers.RedemptionReserved: Stage.RESERVED,
    vouchers.RedemptionStarted: Stage.STARTED,
    vouchers.RedemptionDelivered: Stage.DELIVERED,
    vouchers.RedemptionAccepted: Stage.ACCEPTED,
    vouchers.RedemptionReleased: Stage.RELEASED,
    vouchers.NoShowReported: Stage.RELEASED,
}


def lock_all(tx: Transaction, events: Sequence[Any]) -> None:
    """Locks the pathways that events of one transaction will move, all in one go: two transactions that meet
    the same learners in different orders would wait for each other."""
    moving = [event for event in events if type(event) in STAGES]
    if len(moving) > 1:
        steps.lock_pathways(
            tx,
            and_(
                _is_any(pathway_steps.c.holder_id, map(_holder, moving)),
                _is_any(pathway_steps.c.course, (event.ref.course for event in moving)),
            ),
        )


def follow_redemption(_app: App, tx: Transaction, event: Any, _info: EventInfo) -> None:
    """Moves the learner's steps for the course of a redemption, in living pathways, to where it stands now.

    Right in any order and number of events: `Stage` says why. No such learner or step: no effect. What is
    accepted for a no-show gives the step back.
    """
    stage, redemption = STAGES[type(event)], event.ref
    if stage is Stage.ACCEPTED and event.no_show:
        stage = Stage.RELEASED
    found = steps.lock_by_course(tx, redemption.course, _holder(event))
    for step in found:
        steps.note_stage(tx, step, redemption, stage)
    follow(tx, found, event.DESCRIPTOR.name)


def _holder(event: Any) -> str:
    holder: str = event.ref.learner.removeprefix("learners/")
    return holder


def _is_any(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """One of some values, as one parameter: so many of their own took longer than the lock."""
    return column == any_(literal(sorted(set(values)), ARRAY(Text)))
