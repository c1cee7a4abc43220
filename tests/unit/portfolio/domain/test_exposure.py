"""Counting by gender: each person once a month for each group, and few people are not told of."""

from __future__ import annotations

from datetime import date

import pytest

from services.portfolio.domain import exposure
from services.portfolio.domain.exposure import ANY, NOTHING, Counted, count


def test_each_group_once_a_month() -> None:
    first, fresh = count(NOTHING, date(2026, 11, 1), ["7212", "7214", "7212"])
    assert fresh == [ANY, "7212", "7214"]
    again, fresh = count(first, date(2026, 11, 30), ["7214", "7213"])
    assert (fresh, again.codes) == (["7213"], {ANY, "7212", "7213", "7214"})
    assert count(again, date(2026, 11, 30), ["7213"]) == (again, [])
    assert count(again, date(2026, 12, 1), ["7213"]) == (
        Counted(date(2026, 12, 1), frozenset({ANY, "7213"})),
        [ANY, "7213"],
    )
    for kept in (NOTHING, again):
        assert Counted.decoded(kept.encoded()) == kept


def test_few_people_are_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [exposure.told(people) for people in (1, 9, 10, 11)] == [None, None, 10, 11]
    monkeypatch.setattr(exposure, "SMALLEST", 1)  # control
    assert exposure.told(1) == 1
