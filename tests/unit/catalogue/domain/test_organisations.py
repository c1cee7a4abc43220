"""The tree of organisations: no loop, at most eight levels."""

from __future__ import annotations

import pytest

from services.catalogue.domain.organisations import DEEPEST, check_place
from services.platform.errors import Refusal


def test_a_place_below_others_is_fine() -> None:
    check_place("c", ["b", "a"], 1)
    check_place("c", [str(number) for number in range(DEEPEST - 1)], 1)


@pytest.mark.parametrize(
    ("organisation", "above", "height"),
    [
        ("a", ["a"], 1),
        ("a", ["c", "b", "a"], 1),
        ("x", [str(number) for number in range(DEEPEST)], 1),
        ("x", [str(number) for number in range(DEEPEST - 1)], 2),
    ],
)
def test_neither_above_itself_nor_too_deep(organisation: str, above: list[str], height: int) -> None:
    with pytest.raises(Refusal, match="ORGANISATION_LOOP"):
        check_place(organisation, above, height)
