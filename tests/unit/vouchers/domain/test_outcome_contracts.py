"""Outcome contracts: what a result is worth, and who is told of small groups."""

from __future__ import annotations

import pytest

from services.vouchers.domain.expressions import compile_condition
from services.vouchers.domain.outcome_contracts import Share, repaid, share

RULE = [(3_000, 0), (6_300, 10_000), (7_000, 10_600)]
FEMALE = compile_condition("learner.gender == 'female'")


@pytest.mark.parametrize(
    ("placed", "enrolled", "cents"),
    [
        (0, 0, 0),
        (0, 100, 0),
        (30, 100, 0),
        (31, 100, 3_030_303),  # 1/33 of the way, rounded down
        (63, 100, 100_000_000),
        (6_299, 10_000, 99_969_696),
        (66, 100, 102_571_428),
        (70, 100, 106_000_000),
        (100, 100, 106_000_000),
        (284, 450, 100_095_238),  # 63.1 %
    ],
)
def test_between_steps_it_is_in_proportion_and_outside_it_stays(
    placed: int, enrolled: int, cents: int
) -> None:
    assert repaid(100_000_000, placed, enrolled, RULE) == cents


def test_one_step_is_all_or_that() -> None:
    assert repaid(100, 1, 100, [(5_000, 2_000)]) == 20
    assert repaid(100, 99, 100, [(5_000, 2_000)]) == 20
    assert repaid(0, 99, 100, RULE) == 0


@pytest.mark.parametrize(
    ("women", "men", "unknown", "told"),
    [
        (5, 5, 0, Share(5, 0)),
        (4, 50, 0, None),
        (50, 4, 0, None),  # who subtracts learns of four men
        (50, 50, 3, None),
        (0, 50, 0, Share(0, 0)),
        (50, 50, 5, Share(50, 5)),
    ],
)
def test_fewer_than_five_are_not_told(women: int, men: int, unknown: int, told: Share | None) -> None:
    people: list[dict[str, object]] = [{"learner.gender": "female"}] * women
    people += [{"learner.gender": "male"}] * men + [{}] * unknown
    assert share(FEMALE, people) == told
