"""What an accreditation covers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.vouchers.domain.accreditation import Training, covered_until, covers, form

WELDING = Training(("0715",), 4, "BE211")
DAY = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({}, True),
        ({"isced_f": ["07"]}, True),
        ({"isced_f": ["0613", "0715"]}, True),
        ({"isced_f": ["0613"]}, False),
        ({"eqf": [3, 4]}, True),
        ({"eqf": [5]}, False),
        ({"nuts": ["BE2"]}, True),
        ({"nuts": ["BE212", "FR"]}, False),
        ({"isced_f": ["07"], "eqf": [4], "nuts": ["BE"]}, True),
        ({"isced_f": ["07"], "eqf": [5], "nuts": ["BE"]}, False),
    ],
)
def test_each_list_that_is_not_empty_has_to_fit(scope: dict[str, Any], expected: bool) -> None:
    kept = form(DAY, **{"isced_f": [], "eqf": [], "nuts": [], **scope})
    assert covers(kept, WELDING) is expected


@pytest.mark.parametrize("scope", [{"isced_f": ["07"]}, {"eqf": [4]}, {"nuts": ["BE"]}])
def test_what_a_course_does_not_say_is_not_covered(scope: dict[str, Any]) -> None:
    kept = form(DAY, **{"isced_f": [], "eqf": [], "nuts": [], **scope})
    assert not covers(kept, Training((), 0, ""))


def test_of_several_the_longest_that_covers_it_counts() -> None:
    kept = [form(date(2026, 6, day), [], levels, []) for day, levels in ((1, [4]), (9, [4]), (20, [5]))]
    assert covered_until(kept, WELDING) == date(2026, 6, 9)
    assert covered_until(kept[2:], WELDING) is None
