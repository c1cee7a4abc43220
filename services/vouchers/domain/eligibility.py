"""May this learner have a voucher for this session? Every clause with its outcome, and the amount.

Pure: the same rules, facts, offer, history and day give the same decision, so that each can be replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from services.vouchers.domain.amounts import Worth, worth
from services.vouchers.domain.builtin import budget_clause, builtin_clauses
from services.vouchers.domain.expressions import CONTEXT, Condition, cel_value, fact_values
from services.vouchers.domain.facts import CATALOGUE, Fact, Source, choose
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.outcomes import Outcome, Result
from services.vouchers.domain.programme import Group, Rules
from services.vouchers.domain.shortage import Entry
from services.vouchers.domain.states import ApplicationState


class History(NamedTuple):
    """What this learner was granted before, cents: in this programme and, for the session, by others.
    `recent`: grants that count towards the most one person may have; `unused`: vouchers that can still be
    spent; `funded_alone`: one of those others funds no session beside another programme."""

    grants: int = 0
    face_used: int = 0
    granted: int = 0
    funded_elsewhere: bool = False
    recent: int = 0
    unused: int = 0
    funded_alone: bool = False


class Decision(NamedTuple):
    """The outcome of every clause. `worth` is None when it cannot be told."""

    results: tuple[Result, ...]
    group: str
    cover: int
    worth: Worth | None
    facts: Mapping[str, Fact]

    @property
    def eligible(self) -> bool:
        """True when every clause passed."""
        return all(result.outcome is Outcome.PASSED for result in self.results)

    @property
    def automatic(self) -> bool:
        """True when no person needs to look: verified facts decide every clause, or one that fails."""
        certain = [result.outcome for result in self.results if result.verified]
        whole = len(certain) == len(self.results) and Outcome.UNDECIDED not in certain
        return whole or Outcome.FAILED in certain

    @property
    def reason_codes(self) -> list[str]:
        """Returns the codes of the clauses that failed, each once, in order."""
        failed = [r.reason_code for r in self.results if r.outcome is Outcome.FAILED]
        return list(dict.fromkeys(failed))

    @property
    def state(self) -> tuple[ApplicationState, list[str]]:
        """Returns where an application stands by this decision, with the reason codes of a refusal."""
        if not self.automatic:
            return ApplicationState.SUBMITTED, []
        if self.eligible:
            return ApplicationState.GRANTED, []
        return ApplicationState.REFUSED, self.reason_codes

    def with_budget(self, *, held: bool | None) -> Decision:
        """Returns the decision with the answer whether some pot holds the amount; None: nobody asked."""
        results = tuple([result for result in self.results if result.clause != "budget"])
        if held is not None:
            results = (*results, budget_clause(held=held))
        return self._replace(results=results)

    @property
    def missing(self) -> list[str]:
        """Returns the keys of facts that undecided clauses lack."""
        return list(dict.fromkeys(key for result in self.results for key in result.missing))


class _Judge:
    """Evaluates conditions first on verified facts alone, then on all."""

    def __init__(self, facts: Sequence[Fact], offer: Offer | None, today: date) -> None:
        context = context_values(offer, today)
        self.all = self.verified = choose(facts, today)
        self._values = self._sure = {**context, **fact_values(self.all)}
        if Source.SELF_DECLARED in [fact.source for fact in facts]:
            self.verified = choose(facts, today, verified_only=True)
            self._sure = {**context, **fact_values(self.verified)}

    def judge(self, condition: Condition) -> tuple[Outcome, bool]:
        """Returns the outcome and whether verified facts alone decide it."""
        holds = sure = condition.holds(self._sure)
        if sure is None and self._sure is not self._values:
            holds = condition.holds(self._values)
        return Outcome.of(holds), sure is not None

    def result(self, condition: Condition, clause: str, **said: object) -> Result:
        """Returns the result of a condition with the facts it used and lacks."""
        outcome, verified = self.judge(condition)
        source = self.verified if verified else self.all
        return Result(
            clause=clause,
            outcome=outcome,
            verified=verified,
            used=tuple(source[key] for key in condition.keys if key in source),
            missing=tuple(k for k in condition.keys if k not in self.all) if not outcome.decided else (),
            **said,  # type: ignore[arg-type]
        )


def decide(
    rules: Rules,
    facts: Sequence[Fact],
    offer: Offer | None,
    entry: Entry | None,
    history: History,
    today: date,
    applied: date | None = None,
    price: int | None = None,
) -> Decision:
    """Evaluates every clause of `rules` for one learner and one session on `today`.

    `entry`: the shortage entry that matched, if any. `applied`: the day of the application where that was an
    earlier one. `offer`: None for a voucher that is allocated before a session is chosen; then `price` says
    what that may cost, in cents, by default the face value. Nothing is stored and nothing raised: all that
    speaks against a grant is in the results.
    """
    judge = _Judge(facts, offer, today)
    results = [
        judge.result(
            clause.condition,
            clause.id,
            reason_code=clause.reason_code,
            legal_reference=clause.legal_reference,
            texts=clause.texts,
        )
        for clause in rules.clauses
    ]
    group, group_result = _group(rules.groups, judge)
    results.append(group_result)
    value = None
    if offer is not None:
        price = offer.price
    elif group is not None and price is None:
        price = group.face_value
    if group is not None and price is not None:
        cap_left = None if rules.lifetime_cap is None else max(0, rules.lifetime_cap - history.granted)
        face_left = max(0, group.face_value - history.face_used)
        value = worth(price, group.cover, face_left=face_left, cap_left=cap_left, fixed_share=group.share)
    results += builtin_clauses(rules, offer, entry, history, value, today, applied or today)
    return Decision(
        results=tuple(results),
        group=group.code if group else "",
        cover=group.cover if group else 0,
        worth=value,
        facts=judge.all,
    )


@lru_cache(1024)
def context_values(offer: Offer | None, today: date) -> Mapping[str, object]:
    """Returns what expressions may read beside facts; unknown things are left out and stay undecided."""
    if offer is None:
        return {"today.year": today.year, "today.date": cel_value(today)}
    days_to_start = (offer.start - today).days if offer.start else None
    days = (offer.end - offer.start).days + 1 if offer.start and offer.end else None
    values: dict[str, object | None] = {
        "course.kind": offer.kind,
        "course.eqf_level": offer.eqf_level,
        "course.price_cents": offer.price,
        "session.days_to_start": days_to_start,
        "session.days": days,
        "session.nuts": offer.nuts,
        "today.year": today.year,
        "today.date": cel_value(today),
    }
    assert values.keys() == CONTEXT.keys()
    return {name: value for name, value in values.items() if value is not None}


def suppliers(key: str) -> tuple[str, ...]:
    """Returns who can supply a fact: `learner`, `pes`, `portfolio`."""
    return CATALOGUE[key].suppliers


def _group(groups: Sequence[Group], judge: _Judge) -> tuple[Group | None, Result]:
    """Returns the first group that holds. An undecided one before it leaves the outcome undecided."""
    open_before: list[Result] = []
    sure = True
    for group in groups:
        result = judge.result(group.condition, "target-group", reason_code="NO_TARGET_GROUP")
        sure = sure and result.verified
        if result.outcome is Outcome.PASSED and not open_before:
            return group, result.unverified() if not sure else result
        if result.outcome is Outcome.PASSED:
            return group, open_before[0]
        if result.outcome is Outcome.UNDECIDED:
            open_before.append(result)
    if open_before:
        return None, open_before[0]
    failed = Result("target-group", Outcome.FAILED, sure, reason_code="NO_TARGET_GROUP")
    return None, failed
