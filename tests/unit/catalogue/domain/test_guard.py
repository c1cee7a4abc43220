"""The delete guard, and what happens where it would be off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.domain.guard import ABOVE_LIMIT, EMPTY, NONE, Situation, judge

FULL = Situation(
    complete=True, partial=False, records_in=90, nameless=0, present=100, missing=10, limit_percent=20
)


def test_complete_full_feed_removes_what_is_missing() -> None:
    verdict = judge(FULL)
    assert (verdict.hold, verdict.removes) == (NONE, True)


@pytest.mark.parametrize(
    "change",
    [{"complete": False}, {"partial": True}, {"nameless": 1}],
    ids=["cut off", "partial", "nameless"],
)
def test_incomplete_never_removes(change: dict[str, int]) -> None:
    assert not judge(replace(FULL, **change)).removes  # type: ignore[arg-type]


def test_empty_feed_is_held() -> None:
    assert judge(replace(FULL, records_in=0, missing=100)).hold == EMPTY


def test_first_empty_feed_needs_nobody() -> None:
    assert judge(replace(FULL, records_in=0, missing=0, present=0)).hold == NONE


@pytest.mark.parametrize(("missing", "hold"), [(19, NONE), (20, ABOVE_LIMIT)])
def test_limit(missing: int, hold: int) -> None:
    assert judge(replace(FULL, missing=missing)).hold == hold


@pytest.mark.parametrize(("gone", "hold"), [(0, NONE), (11, NONE), (13, ABOVE_LIMIT)])
def test_what_went_within_the_week_counts_too(gone: int, hold: int) -> None:
    assert judge(replace(FULL, gone=gone)).hold == hold
    assert judge(replace(FULL, gone=gone, missing=0)).hold == NONE  # nothing more goes


def test_control_without_limit_a_fifth_vanishes() -> None:
    assert judge(replace(FULL, missing=90, limit_percent=100)).hold == NONE


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 100))
def test_never_more_than_the_limit_without_a_person(present: int, missing: int, limit: int) -> None:
    missing = min(present, missing)
    verdict = judge(replace(FULL, present=present, missing=missing, limit_percent=limit))
    if verdict.removes and not verdict.hold:
        assert missing == 0 or limit == 100 or missing * 100 < present * limit
