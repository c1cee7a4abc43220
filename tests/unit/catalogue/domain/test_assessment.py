"""What verified assessments come to, and who may verify."""

from __future__ import annotations

import itertools

import pytest
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.assessment import (
    ENTERED,
    REJECTED,
    VERIFIED,
    Assessed,
    check_verification,
    roll_up,
)
from services.platform.errors import Refusal

FEW, SKILLS, CONDITIONS = 1, 2, 3


@pytest.mark.parametrize(
    ("areas", "region", "severity", "cause", "made_of"),
    [
        ([("BE21", 4, FEW), ("BE22", 3, SKILLS)], "BE2", 4, FEW, ["BE21", "BE22"]),  # 3.5 is rounded up
        (
            [("BE21", 4, FEW), ("BE22", 2, SKILLS), ("BE23", 1, SKILLS)],
            "BE2",
            2,
            FEW,
            ["BE21", "BE22", "BE23"],
        ),
        ([("BE2", 1, CONDITIONS), ("BE21", 5, FEW)], "BE2", 1, CONDITIONS, ["BE2"]),  # its own is the answer
        ([("BE2", 1, CONDITIONS), ("BE211", 5, FEW)], "BE", 1, CONDITIONS, ["BE2"]),
        ([("BE21", 5, FEW), ("NL1", 0, 0)], "BE", 5, FEW, ["BE21"]),
        ([("BE21", 2, SKILLS), ("BE22", 2, FEW)], "BE", 2, FEW, ["BE21", "BE22"]),  # the first by number
        ([("BE21", 0, 0), ("BE22", 0, 0)], "BE2", 0, 0, ["BE21", "BE22"]),
        ([("BE21", 1, SKILLS), ("BE22", 0, 0), ("BE23", 0, 0)], "BE2", 0, 0, ["BE21", "BE22", "BE23"]),
    ],
)
def test_roll_up(
    areas: list[tuple[str, int, int]], region: str, severity: int, cause: int, made_of: list[str]
) -> None:
    for order in itertools.permutations(areas):
        rolled = roll_up([Assessed(*area) for area in order], region)
        assert rolled is not None
        assert (rolled.severity, rolled.cause) == (severity, cause)
        assert [each.nuts_code for each in rolled.made_of] == made_of


def test_nothing_comes_of_nothing() -> None:
    assert roll_up([], "BE") is None
    assert (
        roll_up([Assessed("BE", 5, FEW)], "BE2") is None
    )  # what holds for the nation says nothing of a region


@pytest.mark.parametrize(
    ("state", "verifier", "reason"),
    [
        (ENTERED, "a", reason_pb2.REASON_SAME_PERSON),
        (VERIFIED, "b", reason_pb2.REASON_WRONG_STATE),
        (REJECTED, "b", reason_pb2.REASON_WRONG_STATE),
    ],
)
def test_a_second_person_verifies_once(state: int, verifier: str, reason: int) -> None:
    check_verification(ENTERED, "a", "b")
    with pytest.raises(Refusal) as refused:
        check_verification(state, "a", verifier)
    assert refused.value.reason == reason
