"""Who may take vouchers on which day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.accreditation import (
    Accreditation,
    Criterion,
    check_criteria,
    check_grant,
    check_holds,
    check_review,
    current,
    score,
)
from services.platform.errors import Refusal

YEAR = Accreditation("a", date(2026, 1, 1), date(2026, 12, 31), "", None)
WITHDRAWN = Accreditation("b", date(2026, 1, 1), date(2026, 12, 31), "", datetime(2026, 3, 1, 9, tzinfo=UTC))


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
        check_grant([YEAR], date(2026, 12, 31), date(2027, 12, 31), "organisations/x")
    assert refusal.value.reason == reason_pb2.REASON_ACCREDITATION_OVERLAPS
    check_grant([WITHDRAWN], date(2026, 6, 1), date(2027, 1, 1), "organisations/x")
    with pytest.raises(Refusal) as refusal:
        check_grant([], date(2026, 6, 2), date(2026, 6, 1), "organisations/x")
    assert refusal.value.reason == reason_pb2.REASON_INVALID_ARGUMENT


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
