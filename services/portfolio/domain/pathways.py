"""Pathways: DRAFT → AGREED → ACTIVE ⇄ PAUSED → ACHIEVED | TRANSFERRED | ABANDONED.

Holder and counsellor agree to a revision of the steps, in either order; a change of the steps makes a new
revision, to which they agree anew. Spells run beside a pathway and appear in no rule here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.pathway_pb2 import Pathway

from services.platform.errors import Refusal
from services.portfolio.domain.states import word, wrong_state
from services.portfolio.domain.steps import Actor

State: TypeAlias = Pathway.State.ValueType

STALLS_AFTER = timedelta(days=60)  # without a change, while it is active
LIVE = frozenset({Pathway.STATE_DRAFT, Pathway.STATE_AGREED, Pathway.STATE_ACTIVE, Pathway.STATE_PAUSED})

# Each state with those it can be reached from.
_FROM: dict[State, frozenset[State]] = {
    Pathway.STATE_PAUSED: frozenset({Pathway.STATE_ACTIVE}),
    Pathway.STATE_ACHIEVED: frozenset({Pathway.STATE_ACTIVE}),
    Pathway.STATE_TRANSFERRED: frozenset(LIVE - {Pathway.STATE_DRAFT}),
    Pathway.STATE_ABANDONED: LIVE,
}


@dataclass(frozen=True)
class Standing:
    """Where a pathway stands: its state, the revision of its steps, and who agreed to which revision."""

    state: State = Pathway.STATE_DRAFT
    revision: int = 1
    holder_agreed: int = 0
    counsellor_agreed: int = 0

    @property
    def agreed(self) -> bool:
        """True when both agreed to the steps as they stand."""
        return self.holder_agreed == self.counsellor_agreed == self.revision

    def agree(self, actor: Actor) -> Standing:
        """`actor` agrees to the steps as they stand; the second of the two makes a draft AGREED."""
        self.require(LIVE)
        if actor is Actor.HOLDER:
            after = replace(self, holder_agreed=self.revision)
        else:
            after = replace(self, counsellor_agreed=self.revision)
        if after.state == Pathway.STATE_DRAFT and after.agreed:
            return replace(after, state=Pathway.STATE_AGREED)
        return after

    def revise(self) -> Standing:
        """The steps changed: nobody has agreed to them as they now are."""
        self.require(LIVE)
        return replace(self, revision=self.revision + 1)

    def start(self) -> Standing:
        """AGREED → ACTIVE, when both agreed to the steps as they stand."""
        self.require({Pathway.STATE_AGREED})
        self._require_agreement()
        return replace(self, state=Pathway.STATE_ACTIVE)

    def resume(self) -> Standing:
        """PAUSED → ACTIVE."""
        self.require({Pathway.STATE_PAUSED})
        return replace(self, state=Pathway.STATE_ACTIVE)

    def move(self, state: State) -> Standing:
        """Moves to PAUSED, ACHIEVED, TRANSFERRED or ABANDONED."""
        self.require(_FROM[state])
        if state == Pathway.STATE_ACHIEVED:
            self._require_agreement()
        return replace(self, state=state)

    def require(self, states: frozenset[State] | set[State]) -> None:
        """Raises Refusal(WRONG_STATE) unless the pathway is in one of `states`."""
        if self.state not in states:
            needed = ",".join(sorted(map(label, states)))
            raise wrong_state(label(self.state), needed)

    def _require_agreement(self) -> None:
        if not self.agreed:
            metadata = {
                "state": label(self.state),
                "revision": str(self.revision),
                "holder_agreed_revision": str(self.holder_agreed),
                "counsellor_agreed_revision": str(self.counsellor_agreed),
            }
            raise Refusal(
                reason_pb2.REASON_WRONG_STATE,
                "Holder and counsellor must first agree to the steps as they stand.",
                metadata=metadata,
            )


def label(state: State) -> str:
    """Returns the name of a state as events and errors carry it: `AGREED`."""
    return word(Pathway.State, state)
