"""Outcome contracts: what a result is worth, who is of which group, what a milestone takes. Integer cents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import outcome_contract_pb2 as pb

from services.platform.errors import Refusal, Violation
from services.vouchers.domain.expressions import Condition, ExpressionError, compile_condition, fact_values
from services.vouchers.domain.facts import Fact, choose
from services.vouchers.domain.money import cents_of, checked_cents
from services.vouchers.domain.shares import split
from services.vouchers.domain.suppression import SMALLEST

WHOLE = 10_000  # what basis points are parts of


class ContractState(IntEnum):
    """Where a contract stands, with the same numbers as in the contract of the service."""

    DRAFT = 1
    ACTIVE = 2
    REPAYMENT_PROPOSED = 3
    REPAID = 4
    REPAYMENT_APPROVED = 5


class ReportState(IntEnum):
    """Where a reported outcome stands, with the same numbers as in the contract of the service."""

    REPORTED = 1
    VERIFIED = 2
    REFUTED = 3


@dataclass(frozen=True)
class Results:
    """How many take part, completed the training and found work; the last two verified."""

    enrolled: int
    completed: int
    placed: int

    def count(self, measure: pb.Milestone.Measure.ValueType) -> int:
        """Returns what a milestone's measure counts."""
        return {
            pb.Milestone.MEASURE_ENROLLED: self.enrolled,
            pb.Milestone.MEASURE_COMPLETED: self.completed,
            pb.Milestone.MEASURE_PLACED: self.placed,
        }[measure]


def check_draft(contract: pb.OutcomeContract, start: date, repay: date) -> None:
    """Raises Refusal(RULE_INVALID) with everything that is wrong in a draft, CURRENCY_MISMATCH or
    INVALID_ARGUMENT for an amount that cannot be taken."""
    currency = contract.currency_code
    invested = [
        checked_cents(f"outcome_contract.investors[{index}].amount", investor.amount, currency)
        for index, investor in enumerate(contract.investors)
    ]
    tranches = [
        checked_cents(f"outcome_contract.milestones[{index}].amount", milestone.amount, currency)
        for index, milestone in enumerate(contract.milestones)
    ]
    problems = [
        *_twice([each.funding_source for each in contract.investors], "investors", "funding_source"),
        *_twice([each.code for each in contract.milestones], "milestones", "code"),
        *_twice([each.code for each in contract.mix_targets], "mix_targets", "code"),
        *_rising([each.result_basis_points for each in contract.repayment_steps]),
        *_expressions(contract.mix_targets),
    ]
    if sum(tranches) > sum(invested):
        said = f"tranches of {sum(tranches)} cents are more than the {sum(invested)} that investors put in"
        problems.append(Violation("outcome_contract.milestones", said))
    if repay < start:
        problems.append(Violation("outcome_contract.repay_date", "must not be before start_date"))
    if problems:
        raise Refusal(reason_pb2.REASON_RULE_INVALID, violations=problems)


def _twice(values: Sequence[str], place: str, field: str) -> list[Violation]:
    return [
        Violation(f"outcome_contract.{place}[{index}].{field}", f"{value} is used before")
        for index, value in enumerate(values)
        if value in values[:index]
    ]


def _rising(results: Sequence[int]) -> list[Violation]:
    return [
        Violation(
            f"outcome_contract.repayment_steps[{index}].result_basis_points", "must be over the one before"
        )
        for index in range(1, len(results))
        if results[index] <= results[index - 1]
    ]


def _expressions(targets: Sequence[pb.MixTarget]) -> list[Violation]:
    found = []
    for index, target in enumerate(targets):
        try:
            compile_condition(target.expression)
        except ExpressionError as error:
            place = f"outcome_contract.mix_targets[{index}].expression"
            found.append(Violation(place, f"{target.code}: {error}"))
    return found


def repaid(released: int, placed: int, enrolled: int, steps: Sequence[tuple[int, int]]) -> int:
    """Returns the cents that are repaid of `released` when `placed` of `enrolled` people found work.

    `steps`: (result, part repaid) in basis points, by rising result; between two it is in proportion. It is
    counted exactly and rounded down to the cent at the end. Nobody enrolled counts as a result of 0.
    """
    whole = enrolled or 1
    result = placed * WHOLE  # in basis points of `whole`, so that no fraction is lost
    below = [step for step in steps if step[0] * whole <= result]
    above = [step for step in steps if step[0] * whole > result]
    if not below or not above:
        return released * (below[-1] if below else above[0])[1] // WHOLE
    (low, part), (high, more) = below[-1], above[0]
    # part + (more - part) * (result / whole - low) / (high - low), over one denominator
    numerator = part * (high - low) * whole + (more - part) * (result - low * whole)
    return released * numerator // ((high - low) * whole * WHOLE)


@dataclass(frozen=True)
class Repayment:
    """What investors have back, cents: for results and unspent, each by investor in their order."""

    released: int
    repaid: tuple[int, ...]
    unspent: tuple[int, ...]


def repayment(contract: pb.OutcomeContract, released: int, available: int, results: Results) -> Repayment:
    """Returns the repayment of a contract that has `released` so many cents and has `available` left."""
    weights = [cents_of(investor.amount) for investor in contract.investors]
    steps = [(step.result_basis_points, step.repay_basis_points) for step in contract.repayment_steps]
    worth = repaid(released, results.placed, results.enrolled, steps)
    return Repayment(released, tuple(split(worth, weights)), tuple(split(available, weights)))


@dataclass(frozen=True)
class Share:
    """How many participants are of a group and of how many the facts do not say; None: too few to tell."""

    members: int
    unknown: int


def share(condition: Condition, people: Iterable[Mapping[str, object]]) -> Share | None:
    """Returns how many of `people` (their facts as expressions name them) are of a group, or None where
    fewer than SMALLEST are of it, are not, or cannot be told."""
    answers = [condition.holds(values) for values in people]
    members, unknown = answers.count(True), answers.count(None)
    if any(0 < count < SMALLEST for count in (members, unknown, answers.count(False))):
        return None
    return Share(members, unknown)


def known_of(facts: Iterable[Fact], today: date) -> dict[str, object]:
    """Returns a participant's verified facts of `today` under the names that expressions use."""
    return fact_values(choose(facts, today, verified_only=True))
