"""What all reactions to redemptions share: the learner's steps for a course stand where the voucher does."""

from __future__ import annotations

from waymark.portfolio.v1.events_pb2 import PathwayStepMoved
from waymark.vouchers.v1.events_pb2 import RedemptionRef

from services.platform.db.transaction import Transaction
from services.portfolio.domain.steps import Stage, after_event, label
from services.portfolio.store import steps


def follow(tx: Transaction, redemption: RedemptionRef, stage: Stage, cause: str) -> None:
    """Moves the steps that name the redemption's course, in the living pathways of its learner.

    Right in any order and number of events: `Stage` says why. No such learner or step: no effect. `cause` is
    the type of the event.
    """
    holder = redemption.learner.removeprefix("learners/")
    for step in steps.lock_by_course(tx, holder, redemption.course):
        state = after_event(step.state, steps.note_stage(tx, step, redemption.redemption, stage))
        if state != step.state:
            steps.move(tx, step, state)
            tx.publish(
                PathwayStepMoved(
                    pathway=step.pathway_name,
                    step=step.name,
                    from_state=label(step.state),
                    to_state=label(state),
                    cause=cause,
                )
            )
