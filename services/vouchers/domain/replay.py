"""A past decision computed again: what it rests on is pinned by hash, the outcome must be the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from waymark.vouchers.v1 import application_pb2

from services.vouchers.domain.differences import Difference, differences
from services.vouchers.domain.eligibility import Decision
from services.vouchers.domain.facts import digest, digest_of
from services.vouchers.domain.outcomes import Outcome
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.shortage import Entry
from services.vouchers.domain.states import ApplicationState as State

# What kept JSON raises when it no longer says what it should.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, AssertionError)
# Of an application's fields the replay computes these; the rest are names and times.
_COMPUTED = frozenset(
    {
        "state",
        "shortage_entry",
        "clauses",
        "reason_codes",
        "automatic",
        "amount",
        "learner_share",
        "target_group",
    }
)
APPEAL_GRANTED = 1  # as in the contract
# What can speak against an application collected for a draw, or one that waits, beside the clauses.
BESIDE_CLAUSES = frozenset({"APPLICATION_OPEN", "PROVIDER_SANCTIONED", "SESSION_UNKNOWN"})
_NOT_COMPUTED = frozenset(application_pb2.Application.DESCRIPTOR.fields_by_name) - _COMPUTED


def by_person(row: Any) -> bool:
    """True when a caseworker took the decision that is pinned in `row`: a grant on appeal pins anew."""
    return bool(row.decided_by) or (row.state == State.GRANTED and row.appeal_outcome == APPEAL_GRANTED)


def pins(
    rules: Rules, facts: str, offer: str, history: str, entry: Entry | None, today: date
) -> dict[str, str]:
    """Returns SHA-256, hex, of each thing that a decision of `today` rests on; `facts`, `offer` and `history`
    in the form that is kept, as canonical text. `shortage` is empty when no entry matched."""
    return {
        "rules": rules.digest,
        "facts": digest_of(facts),
        "offer": digest_of(offer),
        "history": digest_of(f'[{history},"{today.isoformat()}"]'),
        "shortage": digest(asdict(entry)) if entry else "",
    }


def pin_differences(kept: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    """Returns which pins are not what they were; what was not pinned in its day is not compared."""
    return [
        Difference(f"pins.{name}", kept[name], now[name])
        for name in now
        if name in kept and kept[name] != now[name]
    ]


def outcome_differences(
    stored: application_pb2.Application, computed: application_pb2.Application
) -> list[Difference]:
    """Returns where the outcome is another one. Texts and legal references are pinned with the rules."""
    sides: list[application_pb2.Application] = []
    for message in (stored, computed):
        side = application_pb2.Application()
        side.CopyFrom(message)
        for clause in side.clauses:
            clause.ClearField("texts")
            clause.ClearField("legal_reference")
            for fact in clause.missing:
                fact.ClearField("suppliers")  # who can supply a fact is today's answer
        sides.append(side)
    if sides[0] == sides[1]:  # nearly always, and far quicker
        return []
    return differences(sides[0], sides[1], _NOT_COMPUTED)


def state_of(
    decision: Decision, stored: State, codes: Sequence[str], *, by_person: bool, left_draw: bool = False
) -> tuple[State, list[str]]:
    """Returns state and reason codes that follow from `decision`.

    Where nobody has decided yet, a withdrawal and an appeal follow as long as what went before them does.
    `by_person`: a caseworker decided, who may grant what is not certainly refused, and refuse what waits;
    then what was decided (`stored`, `codes`) follows as far as that holds. `left_draw`: withdrawn while it
    waited for a draw.
    """
    if stored is State.WITHDRAWN:
        before = State.IN_DRAW if left_draw else State.SUBMITTED
        computed, found = state_of(decision, before, codes, by_person=by_person)
        return (stored, list(codes)) if computed is before else (computed, found)
    if stored is State.APPEALED:
        computed, found = state_of(decision, State.REFUSED, codes, by_person=by_person)
        return (stored if computed is State.REFUSED else computed), found
    if by_person and stored is State.GRANTED:
        certain = [r.reason_code for r in decision.results if r.verified and r.outcome is Outcome.FAILED]
        granted = not certain and decision.worth is not None
        return (stored, list(codes)) if granted else (State.REFUSED, certain)
    if by_person and stored is State.REFUSED and not decision.automatic:
        return stored, list(codes)
    if stored is State.REFUSED and codes and BESIDE_CLAUSES.issuperset(codes):
        return stored, list(codes)
    state, found = decision.state
    # Collected for a draw: whether money is there is asked when its turn comes.
    if stored is State.IN_DRAW and set(found) <= {"BUDGET_EXHAUSTED"}:
        return stored, []
    return state, found
