"""What follows for steps from what was told: where they stand now, and whose counsellor is told."""

from __future__ import annotations

from collections.abc import Sequence

from waymark.portfolio.v1.events_pb2 import PathwayStalled, PathwayStepMoved

from services.platform.db.transaction import Transaction
from services.portfolio.domain.steps import after_event, label
from services.portfolio.store import stalled, steps
from services.portfolio.store.steps import StepRef


def follow(tx: Transaction, found: Sequence[StepRef], cause: str) -> None:
    """Moves steps of locked pathways to where the redemptions spent on them stand now; those on which none
    was stay. `cause`: the kind of event that told of it.

    Tells once of those active ones among the pathways in which a step needs another course or session; ends
    the alert of those in which none does any more.
    """
    if not found:
        return
    for step, stages in steps.stages(tx, found).items():
        state = after_event(step.state, stages)
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
    for pathway, needy in stalled.notice_courses(tx, sorted({(step.holder, step.pathway) for step in found})):
        tx.publish(PathwayStalled(pathway=pathway, steps=needy))
