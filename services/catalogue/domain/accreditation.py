"""Accreditation: who may take vouchers, and on which days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product

from waymark.errors.v1 import reason_pb2

from services.platform.days import day_of
from services.platform.errors import Refusal, Violation


@dataclass(frozen=True, slots=True)
class Criterion:
    """How far an organisation meets one criterion: `score` and the least that does (`minimum`), 0 to 100."""

    code: str
    score: int
    minimum: int
    weight: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What is covered: ISCED-F and NUTS codes, of which a short one covers the longer ones that begin with
    it, and EQF levels. What is empty limits nothing."""

    isced_f: tuple[str, ...] = ()
    eqf: tuple[int, ...] = ()
    nuts: tuple[str, ...] = ()

    def meets(self, other: Scope) -> bool:
        """True when some training is covered by both."""
        levels = not self.eqf or not other.eqf or not set(self.eqf).isdisjoint(other.eqf)
        return levels and _meet(self.isced_f, other.isced_f) and _meet(self.nuts, other.nuts)


ALL = Scope()


def _meet(some: Sequence[str], others: Sequence[str]) -> bool:
    pairs = product(some, others)
    return not some or not others or any(a.startswith(b) or b.startswith(a) for a, b in pairs)


@dataclass(frozen=True, slots=True)
class Accreditation:
    """Leave for the days from `valid_from` to `valid_to`, both inclusive;

    A withdrawal (UTC) ends it at once.
    """

    id: str
    valid_from: date
    valid_to: date
    scheme: str
    withdraw_time: datetime | None
    criteria: tuple[Criterion, ...] = ()
    review_date: date | None = None
    scope: Scope = ALL
    evidence: tuple[str, ...] = ()

    def in_force(self, day: date) -> bool:
        """True when vouchers may be taken on this day."""
        if not self.valid_from <= day <= self.valid_to:
            return False
        return self.withdraw_time is None or day < day_of(self.withdraw_time)


def current(accreditations: Sequence[Accreditation], today: date) -> Accreditation | None:
    """Returns the one in force, else the one that started last, else None."""
    by_start = sorted(accreditations, key=lambda a: (a.in_force(today), a.valid_from))
    return by_start[-1] if by_start else None


def standing(accreditations: Sequence[Accreditation], today: date) -> list[Accreditation]:
    """Returns those that are in force or to come, by first day."""
    left = [a for a in accreditations if a.withdraw_time is None and a.valid_to >= today]
    return sorted(left, key=lambda a: (a.valid_from, a.id))


def check_grant(accreditations: Sequence[Accreditation], wanted: Accreditation, organisation: str) -> None:
    """Raises Refusal when the days are in the wrong order, or another one of the scheme covers some of the
    training on some of them."""
    valid_from, valid_to = wanted.valid_from, wanted.valid_to
    if valid_to < valid_from:
        violation = Violation("valid_to", "must not be before valid_from")
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    for other in accreditations:
        beside = other.scheme != wanted.scheme or not other.scope.meets(wanted.scope)
        if beside or other.withdraw_time is not None:
            continue
        if other.valid_from <= valid_to and valid_from <= other.valid_to:
            name = f"{organisation}/accreditations/{other.id}"
            raise Refusal(reason_pb2.REASON_ACCREDITATION_OVERLAPS, metadata={"accreditation": name})


def check_holds(accreditation: Accreditation, today: date) -> None:
    """Raises Refusal(WRONG_STATE) when it was withdrawn or has run out."""
    if accreditation.withdraw_time is not None or accreditation.valid_to < today:
        state = "WITHDRAWN" if accreditation.withdraw_time else "EXPIRED"
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": "IN_FORCE"})


def score(criteria: Sequence[Criterion]) -> int:
    """Returns the mean of the scores by weight, 0 to 100, rounded down; 0 without criteria."""
    weights = sum(each.weight for each in criteria)
    return sum(each.score * each.weight for each in criteria) // weights if weights else 0


def check_criteria(criteria: Sequence[Criterion]) -> None:
    """Raises Refusal ACCREDITATION_CRITERIA_NOT_MET naming each that is not met, or INVALID_ARGUMENT for a
    code that is there twice."""
    codes = [each.code for each in criteria]
    twice = [
        Violation(f"criteria[{index}].code", "is there twice")
        for index, code in enumerate(codes)
        if code in codes[:index]
    ]
    if twice:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=twice)
    unmet = [
        Violation(f"criteria[{index}].score", f"{each.code} has {each.score} of the {each.minimum} it needs")
        for index, each in enumerate(criteria)
        if each.score < each.minimum
    ]
    if unmet:
        failed = ",".join(each.code for each in criteria if each.score < each.minimum)
        raise Refusal(
            reason_pb2.REASON_ACCREDITATION_CRITERIA_NOT_MET,
            violations=unmet,
            metadata={"criteria": failed},
        )


def check_review(review: date | None, valid_from: date, valid_to: date) -> None:
    """Raises Refusal(INVALID_ARGUMENT) unless the day of review is within the accreditation's days."""
    if review is not None and not valid_from <= review <= valid_to:
        violation = Violation("review_date", "must be within the days of the accreditation")
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
