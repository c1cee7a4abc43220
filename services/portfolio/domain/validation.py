"""Validation: INFORMATION → IDENTIFICATION → DOCUMENTATION → SUBMITTED → ASSESSMENT → DECIDED → CERTIFIED |
PARTIAL | REFUSED → APPEAL → REDECIDED; WITHDRAWN before a decision.

Three people are kept apart: who guides the holder, who assesses, and who puts the decision in force. An
appeal adds a second assessor, whose word needs nobody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import validation_pb2 as pb

from services.platform.errors import Refusal
from services.portfolio.domain.states import word, wrong_state

Case = pb.ValidationCase
State: TypeAlias = pb.ValidationCase.State.ValueType
Outcome: TypeAlias = pb.ValidationCase.Outcome.ValueType

APPEAL_TIME = timedelta(days=30)
TO_ASSESS = frozenset({Case.STATE_ASSESSMENT, Case.STATE_APPEAL})
UNDECIDED = frozenset(
    {
        Case.STATE_INFORMATION,
        Case.STATE_IDENTIFICATION,
        Case.STATE_DOCUMENTATION,
        Case.STATE_SUBMITTED,
        Case.STATE_ASSESSMENT,
    }
)
# The awarding body sees a case from its submission on, and no more once it is withdrawn.
HANDED_IN = frozenset(range(Case.STATE_SUBMITTED, Case.STATE_REDECIDED + 1))
# Something is still to be decided by what the case was handed in with.
PENDING = frozenset({Case.STATE_SUBMITTED, *TO_ASSESS, Case.STATE_DECIDED})
_CONCLUDED: dict[Outcome, State] = {
    Case.OUTCOME_CERTIFIED: Case.STATE_CERTIFIED,
    Case.OUTCOME_PARTIAL: Case.STATE_PARTIAL,
    Case.OUTCOME_REFUSED: Case.STATE_REFUSED,
}


@dataclass(frozen=True)
class Standing:
    """Where a case stands: who assesses, who did before an appeal and who put that in force, what was
    decided, until when (UTC) the holder may appeal."""

    state: State = Case.STATE_INFORMATION
    outcome: Outcome = Case.OUTCOME_UNSPECIFIED
    assessor: str = ""
    former_assessor: str = ""
    concluder: str = ""
    appeal_end: datetime | None = None

    @property
    def in_force(self) -> bool:
        """True when the outcome counts: the awarding body has said so, or it was decided on appeal."""
        return self.state in {*_CONCLUDED.values(), Case.STATE_REDECIDED}

    def identify(self) -> Standing:
        """The elements were named."""
        return self._move(Case.STATE_IDENTIFICATION, {Case.STATE_INFORMATION, Case.STATE_IDENTIFICATION})

    def document(self) -> Standing:
        """The holder said what shows the elements."""
        return self._move(Case.STATE_DOCUMENTATION, {Case.STATE_IDENTIFICATION, Case.STATE_DOCUMENTATION})

    def submit(self, undocumented: Collection[str]) -> Standing:
        """Handed in; raises Refusal(VALIDATION_NOT_DOCUMENTED) when elements are `undocumented`."""
        after = self._move(Case.STATE_SUBMITTED, {Case.STATE_DOCUMENTATION})
        if undocumented:
            metadata = {"elements": ",".join(undocumented)}
            raise Refusal(reason_pb2.REASON_VALIDATION_NOT_DOCUMENTED, metadata=metadata)
        return after

    def withdraw(self) -> Standing:
        """The holder wants it no more."""
        return self._move(Case.STATE_WITHDRAWN, UNDECIDED)

    def assign(self, assessor: str, barred: Collection[str]) -> Standing:
        """`assessor` is to look at it, or instead of another one; nobody of `barred`, who are too near to
        the holder. Raises Refusal(WRONG_STATE, ASSESSOR_NOT_INDEPENDENT, SAME_PERSON)."""
        self.require({Case.STATE_SUBMITTED, *TO_ASSESS})
        require_independent(assessor, barred)
        if assessor in (self.former_assessor, self.concluder):
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        state = Case.STATE_APPEAL if self.state == Case.STATE_APPEAL else Case.STATE_ASSESSMENT
        return replace(self, state=state, assessor=assessor)

    def decide(self, by: str, outcome: Outcome, barred: Collection[str]) -> Standing:
        """The assessor decided; on appeal for good.

        Raises Refusal(WRONG_STATE, ASSESSOR_NOT_INDEPENDENT), NOT_FOUND to who assesses no more.
        """
        self.require(TO_ASSESS)
        if by != self.assessor:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        require_independent(by, barred)  # who became a counsellor since
        state = Case.STATE_REDECIDED if self.state == Case.STATE_APPEAL else Case.STATE_DECIDED
        return replace(self, state=state, outcome=outcome, appeal_end=None)

    def conclude(self, by: str, barred: Collection[str], now: datetime) -> Standing:
        """Puts the decision in force; the time to appeal runs from `now` (UTC).

        Raises Refusal(WRONG_STATE, ASSESSOR_NOT_INDEPENDENT), SAME_PERSON to the assessor.
        """
        self.require({Case.STATE_DECIDED})
        if by == self.assessor:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        require_independent(by, barred)
        end = None if self.outcome == Case.OUTCOME_CERTIFIED else now + APPEAL_TIME
        return replace(self, state=_CONCLUDED[self.outcome], concluder=by, appeal_end=end)

    def appeal(self, now: datetime) -> Standing:
        """The holder wants another assessor; raises Refusal(WRONG_STATE, VALIDATION_APPEAL_TOO_LATE)."""
        self.require({Case.STATE_PARTIAL, Case.STATE_REFUSED})
        if self.appeal_end is None or now >= self.appeal_end:
            ended = self.appeal_end.isoformat() if self.appeal_end else ""
            metadata = {"appeal_end_time": ended}
            raise Refusal(reason_pb2.REASON_VALIDATION_APPEAL_TOO_LATE, metadata=metadata)
        return replace(self, state=Case.STATE_APPEAL, assessor="", former_assessor=self.assessor)

    def require(self, states: Collection[State]) -> None:
        """Raises Refusal(WRONG_STATE) unless the case is in one of `states`."""
        if self.state not in states:
            raise wrong_state(label(self.state), ",".join(sorted(map(label, states))))

    def _move(self, state: State, origins: Collection[State]) -> Standing:
        self.require(origins)
        return replace(self, state=state)


def require_independent(person: str, barred: Collection[str]) -> None:
    """Raises Refusal(ASSESSOR_NOT_INDEPENDENT) when `person` is one of `barred`: the holder, and everybody
    who ever was a counsellor of theirs."""
    if person in barred:
        raise Refusal(reason_pb2.REASON_ASSESSOR_NOT_INDEPENDENT)


def outcome_of(elements: Iterable[pb.ValidationElement]) -> Outcome:
    """Returns what the assessor's ratings come to: certified when all are shown, refused when none is."""
    shown = {element.assessment.rating == pb.ELEMENT_RATING_SHOWN for element in elements}
    if shown == {True}:
        return Case.OUTCOME_CERTIFIED
    return Case.OUTCOME_PARTIAL if True in shown else Case.OUTCOME_REFUSED


def undocumented(elements: Iterable[pb.ValidationElement], there: Collection[str]) -> list[str]:
    """Returns the ids of the elements that are not rated, that are rated as shown, also in part, by nothing,
    or by something that is not `there` (names of what is, files as soon as they are stored)."""
    return [element.id for element in elements if not _documented(element.document, there)]


def _documented(document: pb.ElementDocument, there: Collection[str]) -> bool:
    shown_by = named_in(document)
    needless = document.rating == pb.ELEMENT_RATING_NOT_SHOWN
    return bool(document.rating and (shown_by or needless) and shown_by <= set(there))


def named_in(document: pb.ElementDocument) -> set[str]:
    """Returns the names of everything that a holder says shows an element."""
    return {*document.entries, *document.skill_claims, *document.evidence}


def missing(elements: Iterable[pb.ValidationElement]) -> list[pb.ValidationElement]:
    """Returns the elements that are not recognised and have no step of a pathway yet."""
    return [
        element
        for element in elements
        if element.assessment.rating != pb.ELEMENT_RATING_SHOWN and not element.step
    ]


def label(state: State) -> str:
    """Returns the name of a state as events and errors carry it: `ASSESSMENT`."""
    return word(Case.State, state)
