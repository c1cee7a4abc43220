"""Promises to hire: how many, and who pays which part."""

from __future__ import annotations

import pytest

from services.platform.errors import Refusal
from services.vouchers.domain.obligations import Count, check_payers


@pytest.mark.parametrize(
    ("trained", "hired", "percent", "required", "missing"),
    [
        (0, 0, 80, 0, 0),
        (10, 8, 80, 8, 0),
        (10, 7, 80, 8, 1),
        (11, 8, 80, 9, 1),  # 8.8
        (1, 0, 1, 1, 1),
        (3, 3, 80, 3, 0),
        (5, 5, 80, 4, 0),
    ],
)
def test_a_part_of_a_person_counts_as_one(
    trained: int, hired: int, percent: int, required: int, missing: int
) -> None:
    count = Count(trained, hired)
    assert (count.required(percent), count.missing(percent)) == (required, missing)


def test_parts_of_payers_make_a_whole_of_different_sources() -> None:
    check_payers([("a", 6_000), ("b", 4_000)])
    with pytest.raises(Refusal) as short:
        check_payers([("a", 6_000), ("b", 3_999)])
    assert "9999" in short.value.violations[0].description
    with pytest.raises(Refusal) as twice:
        check_payers([("a", 6_000), ("a", 4_000)])
    assert twice.value.violations[0].field == "employer_obligation.payers[1].funding_source"
