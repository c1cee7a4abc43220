"""Reviews of agreements: every target is told of once, and only an adjusting one sets values anew."""

from __future__ import annotations

from datetime import date

import pytest

from services.catalogue.domain.agreement_review import (
    Kind,
    Measured,
    Target,
    review_faults,
    target_faults,
)

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
PLACED, CONTENT = Target("placed", Kind.COUNTED, 0), Target("content", Kind.JUDGED, 60)
BOTH = [Measured("placed", 40, None), Measured("content", 75, None)]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ((Kind.COUNTED, "people", 0, 80, FIRST, LAST), ""),
        ((Kind.COUNTED, "people", 80, 0, FIRST, LAST), ""),
        ((Kind.JUDGED, "", 60, 100, FIRST, LAST), ""),
        ((Kind.COUNTED, "", 0, 80, FIRST, LAST), "target.unit"),
        ((Kind.COUNTED, "people", 80, 80, FIRST, LAST), "target.value"),
        ((Kind.COUNTED, "people", 0, 80, FIRST, FIRST), "target.due_date"),
        ((Kind.JUDGED, "", 60, 101, FIRST, LAST), "target.value"),
        ((Kind.JUDGED, "", 101, 60, FIRST, LAST), "target.value"),
    ],
)
def test_what_is_a_target(given: tuple[int, str, int, int, date, date], field: str) -> None:
    assert [fault.field for fault in target_faults(*given)] == ([field] if field else [])


@pytest.mark.parametrize(
    ("told", "adjusts", "fields"),
    [
        (BOTH, False, []),
        (BOTH[:1], False, ["review.values"]),
        ([], False, ["review.values", "review.values"]),
        ([*BOTH, BOTH[0]], False, ["review.values[2].target"]),
        ([*BOTH, Measured("other", 1, None)], False, ["review.values[2].target"]),
        ([BOTH[0], Measured("content", 101, None)], False, ["review.values[1]"]),
        ([Measured("placed", 40, 90), BOTH[1]], False, ["review.values[0].value"]),
        ([Measured("placed", 40, 90), BOTH[1]], True, []),
        ([Measured("placed", 40, 0), BOTH[1]], True, ["review.values[0].value"]),
        (BOTH, True, ["review.values"]),
    ],
)
def test_what_a_review_tells(told: list[Measured], adjusts: bool, fields: list[str]) -> None:
    assert [fault.field for fault in review_faults([PLACED, CONTENT], told, adjusts=adjusts)] == fields
