"""Steps of a pathway: where each stands, and who or what may move it.

A step with a course is moved by the vouchers spent on it: it stands where the furthest redemption that was
not released stands, whatever order or number its events arrive in. When the catalogue tells that a session is
cancelled, what is reserved for it counts as released, as it will be. What else the catalogue tells of the
course moves no step, as the money stays where it is: it says that the step needs a look. All other steps are
moved by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum, StrEnum
from typing import TypeAlias

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.pathway_pb2 import Step

from services.platform.errors import Refusal, Violation
from services.portfolio.domain.states import word, wrong_state

State: TypeAlias = Step.State.ValueType
CourseStanding: TypeAlias = Step.CourseStanding.ValueType

OPEN = frozenset({Step.STATE_PLANNED, Step.STATE_BOOKED, Step.STATE_RUNNING, Step.STATE_EVIDENCE_SUBMITTED})
DONE = frozenset({Step.STATE_CONFIRMED, Step.STATE_WAIVED})
VERDICTS = frozenset({Step.STATE_FAILED, Step.STATE_WAIVED})


class Actor(StrEnum):
    """Who moves something by hand."""

    HOLDER = "holder"
    COUNSELLOR = "counsellor"


class Stage(IntEnum):
    """How far a redemption is known to have come. It only grows: an event told late changes nothing.

    A redemption ends released or accepted, never both; should both be told, the money that moved decides.
    """

    RESERVED = 1
    STARTED = 2
    DELIVERED = 3
    RELEASED = 4
    ACCEPTED = 5


def counted(stage: Stage, *, cancelled: bool) -> Stage:
    """Returns the stage that counts for the step: what is reserved for a session that is `cancelled` is as
    good as released; what has started is not."""
    return Stage.RELEASED if cancelled and stage is Stage.RESERVED else stage


_SHOWN: dict[Stage, State] = {
    Stage.RESERVED: Step.STATE_BOOKED,
    Stage.STARTED: Step.STATE_RUNNING,
    Stage.DELIVERED: Step.STATE_EVIDENCE_SUBMITTED,
    Stage.ACCEPTED: Step.STATE_CONFIRMED,
}

# By hand, where there is no course. Each state with those it can be moved to.
_HOLDER_MOVES: dict[State, frozenset[State]] = {
    Step.STATE_PLANNED: frozenset({Step.STATE_BOOKED, Step.STATE_RUNNING, Step.STATE_EVIDENCE_SUBMITTED}),
    Step.STATE_BOOKED: frozenset({Step.STATE_PLANNED, Step.STATE_RUNNING}),
    Step.STATE_RUNNING: frozenset({Step.STATE_PLANNED, Step.STATE_EVIDENCE_SUBMITTED}),
    Step.STATE_EVIDENCE_SUBMITTED: frozenset({Step.STATE_RUNNING}),
}


def driven_state(stages: Iterable[Stage]) -> State:
    """Returns where a step with a course stands by the redemptions spent on it."""
    alive = [stage for stage in stages if stage is not Stage.RELEASED]
    return _SHOWN[max(alive)] if alive else Step.STATE_PLANNED


def after_event(state: State, stages: Iterable[Stage]) -> State:
    """Returns the state of a step once its redemptions stand at `stages`; a counsellor's verdict stays."""
    return state if state in VERDICTS else driven_state(stages)


def course_standing(*, removed: bool, offered: bool, cancelled: bool) -> CourseStanding:
    """Returns where the course of a planned or booked step stands: whether it was `removed`, whether the
    session booked, if any, is `offered`, and whether one that was booked is `cancelled`."""
    if removed:
        return Step.COURSE_STANDING_WITHDRAWN
    if cancelled:
        return Step.COURSE_STANDING_SESSION_CANCELLED
    return Step.COURSE_STANDING_UNSPECIFIED if offered else Step.COURSE_STANDING_SESSION_NOT_OFFERED


def move_by_hand(
    state: State, wanted: State, actor: Actor, *, course: str, reason: str, stages: Collection[Stage] = ()
) -> State:
    """Returns the state after `actor` asked for `wanted`.

    Taking a verdict back on a step with a course leaves it where its redemptions (`stages`) stand. Raises
    Refusal: STEP_DRIVEN_BY_VOUCHERS, STEP_NEEDS_COUNSELLOR, WRONG_STATE, INVALID_ARGUMENT (no reason given).
    """
    verdict = wanted in VERDICTS or state in VERDICTS
    if course and not verdict:
        raise Refusal(reason_pb2.REASON_STEP_DRIVEN_BY_VOUCHERS, metadata={"course": course})
    if wanted not in _possible(state):
        metadata = {"state": label(state), "possible": ",".join(sorted(map(label, _possible(state))))}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
    if actor is not Actor.COUNSELLOR and wanted not in _HOLDER_MOVES.get(state, ()):
        raise Refusal(reason_pb2.REASON_STEP_NEEDS_COUNSELLOR)
    if wanted in VERDICTS and not reason:
        violation = Violation("reason", "must say why the step is waived or failed")
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    return driven_state(stages) if course and wanted == Step.STATE_PLANNED else wanted


def require_unjudged(state: State) -> None:
    """Raises Refusal(WRONG_STATE) for a step of which somebody has said that it is done, failed or waived:
    what was said of one thing must not come to be read of another."""
    if state not in OPEN:
        raise wrong_state(label(state), ",".join(sorted(map(label, OPEN))))


def _possible(state: State) -> frozenset[State]:
    """Returns where anybody could move a step without regard to its course."""
    if state in VERDICTS:
        return frozenset({Step.STATE_PLANNED})
    if state not in OPEN:
        return frozenset()
    confirmed = {Step.STATE_CONFIRMED} if state == Step.STATE_EVIDENCE_SUBMITTED else set()
    return _HOLDER_MOVES[state] | VERDICTS | confirmed


def label(state: State) -> str:
    """Returns the name of a state as events and errors carry it: `CONFIRMED`."""
    return word(Step.State, state)
