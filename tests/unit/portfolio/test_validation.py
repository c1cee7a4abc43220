"""Validation: which state follows which, who may do what, and what ratings come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import validation_pb2 as pb

from services.platform.errors import Refusal
from services.platform.rpc.interceptors.validation import violations_of
from services.portfolio import validating
from services.portfolio.domain import validation
from services.portfolio.domain.validation import APPEAL_TIME, Case, Standing, label

NOW = datetime(2026, 11, 2, tzinfo=UTC)
HOLDER, GUIDE, FIRST, SECOND, HEAD = "holder", "guide", "first", "second", "head"
BARRED = frozenset({HOLDER, GUIDE})
MOVES = {
    "identify": Standing.identify,
    "document": Standing.document,
    "submit": lambda at: at.submit([]),
    "withdraw": Standing.withdraw,
    "assign": lambda at: at.assign(SECOND if at.former_assessor else FIRST, BARRED),
    "decide": lambda at: at.decide(at.assessor, Case.OUTCOME_PARTIAL, BARRED),
    "conclude": lambda at: at.conclude(HEAD, BARRED, NOW),
    "appeal": lambda at: at.appeal(NOW),
}
WITHDRAWABLE = ("INFORMATION", "IDENTIFICATION", "DOCUMENTATION", "SUBMITTED", "ASSESSMENT")
ALLOWED = {
    "identify": dict.fromkeys(("INFORMATION", "IDENTIFICATION"), "IDENTIFICATION"),
    "document": dict.fromkeys(("IDENTIFICATION", "DOCUMENTATION"), "DOCUMENTATION"),
    "submit": {"DOCUMENTATION": "SUBMITTED"},
    "withdraw": dict.fromkeys(WITHDRAWABLE, "WITHDRAWN"),
    "assign": {"SUBMITTED": "ASSESSMENT", "ASSESSMENT": "ASSESSMENT", "APPEAL": "APPEAL"},
    "decide": {"ASSESSMENT": "DECIDED", "APPEAL": "REDECIDED"},
    "conclude": {"DECIDED": "PARTIAL"},
    "appeal": {"PARTIAL": "APPEAL", "REFUSED": "APPEAL"},
}


def standing(state: str) -> Standing:
    partial, end = Case.OUTCOME_PARTIAL, NOW + APPEAL_TIME
    return Standing(Case.State.Value(f"STATE_{state}"), partial, FIRST, appeal_end=end)


def reason(call, *arguments) -> str:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return reason_pb2.Reason.Name(caught.value.reason).removeprefix("REASON_")


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", [label(state) for state in Case.State.values() if state])
def test_every_move_from_every_state(move: str, state: str) -> None:
    after = ALLOWED[move].get(state)
    if after is None:
        assert reason(MOVES[move], standing(state)) == "WRONG_STATE"
    else:
        assert label(MOVES[move](standing(state)).state) == after


def test_who_is_too_near_neither_assesses_nor_concludes(monkeypatch: pytest.MonkeyPatch) -> None:
    submitted = standing("SUBMITTED")
    since = BARRED | {FIRST}  # a mandate given while the case was with the assessor

    def tries() -> list[str]:
        calls = [lambda near=near: submitted.assign(near, BARRED) for near in sorted(BARRED)]
        calls.append(lambda: standing("ASSESSMENT").decide(FIRST, Case.OUTCOME_CERTIFIED, since))
        calls.append(lambda: standing("DECIDED").conclude(GUIDE, BARRED, NOW))
        return [reason(call) for call in calls]

    assert tries() == ["ASSESSOR_NOT_INDEPENDENT"] * 4
    # Control: nothing else holds them back.
    monkeypatch.setattr(validation, "require_independent", lambda *_: None)
    assert submitted.assign(GUIDE, BARRED).assessor == GUIDE


def test_assessor_head_and_second_assessor_are_three_people() -> None:
    assert reason(standing("DECIDED").conclude, FIRST, BARRED, NOW) == "SAME_PERSON"
    appealed = standing("DECIDED").conclude(HEAD, BARRED, NOW).appeal(NOW)
    assert (appealed.assessor, appealed.former_assessor) == ("", FIRST)
    for involved in (FIRST, HEAD):
        assert reason(appealed.assign, involved, BARRED) == "SAME_PERSON"
    assert replace(appealed, concluder="").assign(HEAD, BARRED).assessor == HEAD  # control
    assert reason(appealed.decide, FIRST, Case.OUTCOME_CERTIFIED, BARRED) == "NOT_FOUND"
    redecided = appealed.assign(SECOND, BARRED).decide(SECOND, Case.OUTCOME_CERTIFIED, BARRED)
    assert (redecided.in_force, redecided.outcome) == (True, Case.OUTCOME_CERTIFIED)


def test_an_appeal_has_thirty_days_and_no_second_follows() -> None:
    partial = standing("DECIDED").conclude(HEAD, BARRED, NOW)
    assert partial.appeal_end == NOW + timedelta(days=30)
    assert partial.appeal(partial.appeal_end - timedelta(microseconds=1)).state == Case.STATE_APPEAL
    assert reason(partial.appeal, partial.appeal_end) == "VALIDATION_APPEAL_TOO_LATE"


def elements(*ratings: int) -> list[pb.ValidationElement]:
    return [
        pb.ValidationElement(id=str(index), assessment=pb.ElementAssessment(rating=rating))  # type: ignore[arg-type]
        for index, rating in enumerate(ratings)
    ]


@given(st.lists(st.sampled_from(pb.ElementRating.values()[1:]), min_size=1, max_size=8))
def test_the_outcome_follows_from_the_ratings(ratings: list[int]) -> None:
    rated = elements(*ratings)
    shown = ratings.count(pb.ELEMENT_RATING_SHOWN)
    outcome = validation.outcome_of(rated)
    assert (outcome == Case.OUTCOME_CERTIFIED) == (shown == len(ratings))
    assert (outcome == Case.OUTCOME_REFUSED) == (shown == 0)
    assert len(validation.missing(rated)) == len(ratings) - shown
    for element in rated:
        element.step = "there"
    assert validation.missing(rated) == []


def test_what_counts_as_documented() -> None:
    shown, not_shown = pb.ELEMENT_RATING_SHOWN, pb.ELEMENT_RATING_NOT_SHOWN
    documents = {
        "unrated": pb.ElementDocument(entries=["a"]),
        "by-nothing": pb.ElementDocument(rating=shown),
        "by-what-is-gone": pb.ElementDocument(rating=shown, entries=["a"], evidence=["gone"]),
        "well": pb.ElementDocument(rating=shown, entries=["a"], skill_claims=["b"]),
        "not-claimed": pb.ElementDocument(rating=not_shown),
    }
    named = [pb.ValidationElement(id=key, document=value) for key, value in documents.items()]
    assert validation.undocumented(named, {"a", "b"}) == ["unrated", "by-nothing", "by-what-is-gone"]
    assert reason(standing("DOCUMENTATION").submit, ["x"]) == "VALIDATION_NOT_DOCUMENTED"


def test_what_is_certified_is_an_achievement_that_the_contract_takes() -> None:
    named = [
        pb.ValidationElement(id=str(n), title="x" * 300, skill_uris=[f"http://a/{n}/{m}" for m in range(20)])
        for n in range(60)
    ]
    target = {"qualification_uri": "http://example.org/" + "q" * 400}
    made = validating._achievement(Case(elements=named, qualification=target))
    assert violations_of(made) == []
    assert len(made.skill_uris) == 50


class Life(RuleBasedStateMachine):
    """Whatever is tried by whomever in whatever order, an outcome in force was decided by independent
    people."""

    def __init__(self) -> None:
        super().__init__()
        self.at = Standing()
        self.decided_by: list[str] = []
        self.concluded_by = ""

    @rule(move=st.sampled_from(["identify", "document", "submit", "withdraw", "appeal"]))
    def by_the_holder(self, move: str) -> None:
        self.try_to(MOVES[move])

    @rule(person=st.sampled_from([HOLDER, GUIDE, FIRST, SECOND, HEAD]))
    def assign(self, person: str) -> None:
        self.try_to(lambda at: at.assign(person, BARRED))

    @rule(
        person=st.sampled_from([HOLDER, GUIDE, FIRST, SECOND, HEAD]),
        outcome=st.sampled_from(Case.Outcome.values()[1:]),
    )
    def decide(self, person: str, outcome: Case.Outcome.ValueType) -> None:
        if self.try_to(lambda at: at.decide(person, outcome, BARRED)):
            self.decided_by.append(person)

    @rule(person=st.sampled_from([HOLDER, GUIDE, FIRST, SECOND, HEAD]))
    def conclude(self, person: str) -> None:
        if self.try_to(lambda at: at.conclude(person, BARRED, NOW)):
            self.concluded_by = person

    def try_to(self, step) -> bool:
        before = self.at
        try:
            self.at = step(before)
        except Refusal:
            assert self.at is before
            return False
        return True

    @invariant()
    def decided_by_independent_people(self) -> None:
        assert not BARRED & {*self.decided_by, self.concluded_by, self.at.assessor}
        assert len(set(self.decided_by)) == len(self.decided_by)  # on appeal by another one
        if self.at.in_force:
            assert self.decided_by
            assert self.concluded_by not in {"", self.decided_by[0]}
        if self.at.state == Case.STATE_WITHDRAWN:
            assert not self.decided_by


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30)
