"""Steps follow redemptions whatever the order and number of events, and people only where they may."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.pathway_pb2 import Step

from services.platform.errors import Refusal
from services.portfolio.domain.steps import (
    OPEN,
    VERDICTS,
    Actor,
    Stage,
    after_event,
    counted,
    driven_state,
    label,
    move_by_hand,
)

LIFE = [Stage.RESERVED, Stage.STARTED, Stage.DELIVERED, Stage.ACCEPTED]
STATES = [state for state in Step.State.values() if state]
STAGES = st.sampled_from(Stage)
# One redemption's life as far as it went, ending accepted or released or not at all.
HISTORY = st.one_of(
    st.integers(0, 4).map(lambda length: LIFE[:length]),
    st.integers(1, 3).map(lambda length: [*LIFE[:length], Stage.RELEASED]),
)


# What the catalogue told of the course, from the first version on: which sessions were cancelled.
COURSES = st.lists(st.frozensets(st.sampled_from("xy")), max_size=4)
SESSIONS = dict(zip("abc", "xyx", strict=True))  # of the redemptions


class Seen:
    """What the database keeps: the furthest stage per redemption, the newest word on the course, and the
    step's state."""

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        self.version, self.cancelled = 0, frozenset[str]()
        self.state = Step.STATE_PLANNED

    def tell(self, redemption: str, stage: Stage) -> None:
        self.stages[redemption] = max(stage, self.stages.get(redemption, stage))
        self._follow()

    def change(self, version: int, cancelled: frozenset[str]) -> None:
        if version > self.version:
            self.version, self.cancelled = version, cancelled
            self._follow()

    def _follow(self) -> None:
        stages = [
            counted(stage, cancelled=SESSIONS[redemption] in self.cancelled)
            for redemption, stage in self.stages.items()
        ]
        self.state = after_event(self.state, stages)


@given(st.dictionaries(st.sampled_from("abc"), HISTORY, max_size=3), COURSES, st.data())
def test_order_and_number_of_events_do_not_matter(
    histories: dict[str, list[Stage]], courses: list[frozenset[str]], data
) -> None:
    spent = [(Seen.tell, redemption, stage) for redemption, stages in histories.items() for stage in stages]
    events = [*spent, *((Seen.change, *version) for version in enumerate(courses, 1))]
    again = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    in_order, shuffled = Seen(), Seen()
    for tell, *event in events:
        tell(in_order, *event)
    for tell, *event in data.draw(st.permutations(events + again)):
        tell(shuffled, *event)
    assert shuffled.state == in_order.state


@pytest.mark.parametrize("stage", LIFE)
def test_only_what_has_not_started_is_planned_again_when_its_session_is_cancelled(stage: Stage) -> None:
    seen = Seen()
    seen.tell("a", stage)
    before = seen.state
    seen.change(1, frozenset("y"))  # another one
    assert seen.state == before
    seen.change(2, frozenset("xy"))
    assert seen.state == (Step.STATE_PLANNED if stage is Stage.RESERVED else before)
    seen.tell("b", Stage.RESERVED)  # of the other one, which is cancelled too
    assert seen.state == (Step.STATE_PLANNED if stage is Stage.RESERVED else before)


@given(st.lists(st.sampled_from(LIFE), min_size=1))
def test_a_step_only_moves_forward_unless_released(stages: list[Stage]) -> None:
    seen = Seen()
    ranks = []
    for stage in stages:
        seen.tell("a", stage)
        ranks.append(seen.state)
    assert ranks == sorted(ranks)
    assert seen.state == driven_state([max(stages)])


def test_the_states_of_one_life_and_of_a_release() -> None:
    seen = Seen()
    states = []
    for stage in LIFE:
        seen.tell("a", stage)
        states.append(label(seen.state))
    assert states == ["BOOKED", "RUNNING", "EVIDENCE_SUBMITTED", "CONFIRMED"]
    released = Seen()
    for redemption, stage in [("a", Stage.RELEASED), ("a", Stage.RESERVED)]:  # the first told late
        released.tell(redemption, stage)
    assert released.state == Step.STATE_PLANNED
    released.tell("b", Stage.RESERVED)
    assert released.state == Step.STATE_BOOKED
    released.tell("a", Stage.RELEASED)
    assert released.state == Step.STATE_BOOKED


@pytest.mark.parametrize("verdict", sorted(VERDICTS))
def test_a_verdict_stays_until_it_is_taken_back(verdict: Step.State.ValueType) -> None:
    assert after_event(verdict, [Stage.ACCEPTED]) == verdict
    taken_back = move_by_hand(
        verdict, Step.STATE_PLANNED, Actor.COUNSELLOR, course="courses/c", reason="", stages=[Stage.ACCEPTED]
    )
    assert taken_back == Step.STATE_CONFIRMED


HOLDER = {
    ("PLANNED", "BOOKED"),
    ("PLANNED", "RUNNING"),
    ("PLANNED", "EVIDENCE_SUBMITTED"),
    ("BOOKED", "PLANNED"),
    ("BOOKED", "RUNNING"),
    ("RUNNING", "PLANNED"),
    ("RUNNING", "EVIDENCE_SUBMITTED"),
    ("EVIDENCE_SUBMITTED", "RUNNING"),
}
COUNSELLOR = HOLDER | {
    *((label(state), verdict) for state in OPEN for verdict in ("WAIVED", "FAILED")),
    ("EVIDENCE_SUBMITTED", "CONFIRMED"),
    ("FAILED", "PLANNED"),
    ("WAIVED", "PLANNED"),
}
WITH_COURSE = {pair for pair in COUNSELLOR if {"WAIVED", "FAILED"} & set(pair)}


@pytest.mark.parametrize(("before", "wanted"), list(itertools.product(STATES, STATES)))
def test_every_move_by_hand(before: Step.State.ValueType, wanted: Step.State.ValueType) -> None:
    pair = (label(before), label(wanted))
    for actor, course, allowed in [
        (Actor.HOLDER, "", HOLDER),
        (Actor.COUNSELLOR, "", COUNSELLOR),
        (Actor.HOLDER, "courses/c", set()),
        (Actor.COUNSELLOR, "courses/c", WITH_COURSE),
    ]:
        if pair in allowed:
            assert move_by_hand(before, wanted, actor, course=course, reason="why") == wanted
        else:
            with pytest.raises(Refusal):
                move_by_hand(before, wanted, actor, course=course, reason="why")


@pytest.mark.parametrize(
    ("before", "wanted", "actor", "course", "reason", "refusal"),
    [
        ("PLANNED", "BOOKED", Actor.HOLDER, "courses/c", "", reason_pb2.REASON_STEP_DRIVEN_BY_VOUCHERS),
        ("PLANNED", "CONFIRMED", Actor.COUNSELLOR, "", "", reason_pb2.REASON_WRONG_STATE),
        ("EVIDENCE_SUBMITTED", "CONFIRMED", Actor.HOLDER, "", "", reason_pb2.REASON_STEP_NEEDS_COUNSELLOR),
        ("PLANNED", "WAIVED", Actor.HOLDER, "", "because", reason_pb2.REASON_STEP_NEEDS_COUNSELLOR),
        ("PLANNED", "WAIVED", Actor.COUNSELLOR, "", "", reason_pb2.REASON_INVALID_ARGUMENT),
    ],
)
def test_the_reason_of_a_refusal(before, wanted, actor, course, reason, refusal) -> None:
    with pytest.raises(Refusal) as caught:
        move_by_hand(
            Step.State.Value(f"STATE_{before}"),
            Step.State.Value(f"STATE_{wanted}"),
            actor,
            course=course,
            reason=reason,
        )
    assert caught.value.reason == refusal
