"""Pathways: which state follows which, and that two agree."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.pathway_pb2 import Pathway

from services.platform.errors import Refusal
from services.portfolio.domain.pathways import LIVE, Standing, label
from services.portfolio.domain.steps import Actor

MOVES = {
    "start": lambda at: at.start(),
    "resume": lambda at: at.resume(),
    "pause": lambda at: at.move(Pathway.STATE_PAUSED),
    "achieve": lambda at: at.move(Pathway.STATE_ACHIEVED),
    "transfer": lambda at: at.move(Pathway.STATE_TRANSFERRED),
    "abandon": lambda at: at.move(Pathway.STATE_ABANDONED),
}
ALLOWED = {
    "start": {"AGREED": "ACTIVE"},
    "resume": {"PAUSED": "ACTIVE"},
    "pause": {"ACTIVE": "PAUSED"},
    "achieve": {"ACTIVE": "ACHIEVED"},
    "transfer": dict.fromkeys(("AGREED", "ACTIVE", "PAUSED"), "TRANSFERRED"),
    "abandon": dict.fromkeys(("DRAFT", "AGREED", "ACTIVE", "PAUSED"), "ABANDONED"),
}


def standing(state: str) -> Standing:
    return Standing(Pathway.State.Value(f"STATE_{state}"), 1, 1, 1)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", [label(state) for state in Pathway.State.values() if state])
def test_every_move_from_every_state(move: str, state: str) -> None:
    after = ALLOWED[move].get(state)
    if after is None:
        with pytest.raises(Refusal) as caught:
            MOVES[move](standing(state))
        assert caught.value.reason == reason_pb2.REASON_WRONG_STATE
        assert caught.value.metadata["state"] == state
    else:
        assert label(MOVES[move](standing(state)).state) == after


@pytest.mark.parametrize("order", [list(Actor), list(reversed(Actor))])
def test_agreed_once_both_did_in_either_order(order: list[Actor]) -> None:
    first, second = order
    once = Standing().agree(first)
    assert once.state == Pathway.STATE_DRAFT
    assert once.agree(first) == once
    assert once.agree(second).state == Pathway.STATE_AGREED


def test_a_change_of_steps_asks_for_agreement_anew() -> None:
    half = Standing().agree(Actor.HOLDER).revise()
    assert half.agree(Actor.COUNSELLOR).state == Pathway.STATE_DRAFT
    agreed = Standing().agree(Actor.HOLDER).agree(Actor.COUNSELLOR)
    for refuse in (
        lambda: agreed.revise().start(),
        lambda: agreed.start().revise().move(Pathway.STATE_ACHIEVED),
    ):
        with pytest.raises(Refusal) as caught:
            refuse()
        assert caught.value.metadata["revision"] == "2"


class Life(RuleBasedStateMachine):
    """Whatever is tried in whatever order, a pathway is only ever active or achieved by agreement."""

    def __init__(self) -> None:
        super().__init__()
        self.at = Standing()
        self.both_agreed = False

    @rule(actor=st.sampled_from(Actor))
    def agree(self, actor: Actor) -> None:
        self.try_to(lambda at: at.agree(actor))
        self.both_agreed |= self.at.agreed

    @rule()
    def revise(self) -> None:
        self.try_to(Standing.revise)

    @rule(move=st.sampled_from(sorted(MOVES)))
    def move(self, move: str) -> None:
        self.try_to(MOVES[move])

    def try_to(self, step) -> None:
        before = self.at
        try:
            self.at = step(before)
        except Refusal:
            assert self.at is before
        if before.state not in LIVE:
            assert self.at == before

    @invariant()
    def nothing_moves_without_agreement(self) -> None:
        if self.at.state in {Pathway.STATE_ACTIVE, Pathway.STATE_PAUSED, Pathway.STATE_ACHIEVED}:
            assert self.both_agreed
        if self.at.state == Pathway.STATE_ACHIEVED:
            assert self.at.agreed


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25)
