"""Who may take vouchers on which day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.accreditation import (
    Accreditation,
    Criterion,
    Scope,
    check_criteria,
    check_grant,
    check_holds,
    check_review,
    current,
    score,
    standing,
)
from services.platform.errors import Refusal

YEAR = Accreditation("a", date(2026, 1, 1), date(2026, 12, 31), "", None)
WITHDRAWN = Accreditation("b", date(2026, 1, 1), date(2026, 12, 31), "", datetime(2026, 3, 1, 9, tzinfo=UTC))


def granted(first: str, last: str) -> Accreditation:
    return Accreditation("n", date.fromisoformat(first), date.fromisoformat(last), "", None)


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-12-31", True), ("2027-01-01", False)],
)
def test_both_ends_belong_to_it(day: str, expected: bool) -> None:
    assert YEAR.in_force(date.fromisoformat(day)) == expected


def test_a_withdrawal_ends_it_that_day_and_leaves_the_past() -> None:
    assert WITHDRAWN.in_force(date(2026, 2, 28))
    assert not WITHDRAWN.in_force(date(2026, 3, 1))


def test_the_one_in_force_comes_before_later_ones() -> None:
    later = Accreditation("c", date(2027, 1, 1), date(2027, 12, 31), "", None)
    assert current([later, YEAR], date(2026, 6, 1)) == YEAR
    assert current([], date(2026, 6, 1)) is None


def test_grants_do_not_overlap() -> None:
    with pytest.raises(Refusal) as refusal:
        check_grant([YEAR], granted("2026-12-31", "2027-12-31"), "organisations/x")
    assert refusal.value.reason == reason_pb2.REASON_ACCREDITATION_OVERLAPS
    check_grant([WITHDRAWN], granted("2026-06-01", "2027-01-01"), "organisations/x")
    with pytest.raises(Refusal) as refusal:
        check_grant([], granted("2026-06-02", "2026-06-01"), "organisations/x")
    assert refusal.value.reason == reason_pb2.REASON_INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("scheme", "scope", "free"),
    [
        ("", Scope(), False),
        ("Qualiopi", Scope(), True),  # another scheme stands beside it
        ("", Scope(isced_f=("0715",)), False),
        ("", Scope(isced_f=("06",)), True),
        ("", Scope(isced_f=("07",), eqf=(5, 6)), True),
        ("", Scope(isced_f=("07",), eqf=(4, 5)), False),
        ("", Scope(nuts=("BE21",)), False),
        ("", Scope(nuts=("FR",)), True),
    ],
)
def test_grants_of_one_scheme_do_not_cover_the_same_training(scheme: str, scope: Scope, free: bool) -> None:
    held = replace(YEAR, scope=Scope(isced_f=("07",), eqf=(4,), nuts=("BE2",)))
    wanted = replace(granted("2026-12-31", "2027-12-31"), scheme=scheme, scope=scope)
    if free:
        check_grant([held], wanted, "organisations/x")
        return
    with pytest.raises(Refusal, match="OVERLAPS"):
        check_grant([held], wanted, "organisations/x")


def test_those_in_force_or_to_come_stand() -> None:
    later = Accreditation("c", date(2027, 1, 1), date(2027, 12, 31), "", None)
    assert standing([later, WITHDRAWN, YEAR], date(2026, 12, 31)) == [YEAR, later]
    assert standing([later, YEAR], date(2027, 1, 1)) == [later]


def test_withdrawn_once() -> None:
    check_holds(YEAR, date(2026, 6, 1))
    for held in (WITHDRAWN, Accreditation("d", date(2020, 1, 1), date(2020, 2, 1), "", None)):
        with pytest.raises(Refusal) as refusal:
            check_holds(held, date(2026, 6, 1))
        assert refusal.value.reason == reason_pb2.REASON_WRONG_STATE


def test_the_score_is_the_mean_by_weight() -> None:
    assert score([]) == 0
    assert score([Criterion("1", 80, 50, 1), Criterion("2", 61, 50, 1)]) == 70
    assert score([Criterion("1", 100, 50, 3), Criterion("2", 0, 0, 1)]) == 75


def test_each_criterion_not_met_is_named() -> None:
    met, unmet = Criterion("1.1", 50, 50, 1), Criterion("4.2", 49, 50, 1)
    check_criteria([met])
    with pytest.raises(Refusal, match="CRITERIA_NOT_MET") as refusal:
        check_criteria([met, unmet])
    assert [each.field for each in refusal.value.violations] == ["criteria[1].score"]
    assert refusal.value.metadata == {"criteria": "4.2"}
    with pytest.raises(Refusal, match="INVALID_ARGUMENT"):
        check_criteria([met, met])


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2027, 1, 1)])
def test_a_review_is_within_the_days(day: date) -> None:
    for fine in (None, YEAR.valid_from, YEAR.valid_to):
        check_review(fine, YEAR.valid_from, YEAR.valid_to)
    with pytest.raises(Refusal, match="INVALID_ARGUMENT"):
        check_review(day, YEAR.valid_from, YEAR.valid_to)
