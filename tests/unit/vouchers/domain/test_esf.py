"""Each common indicator of the ESF+ counts whom it should; what few people told by choice is not told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.vouchers.domain import esf
from services.vouchers.domain.esf import SENSITIVE, Counted, Entrant, count, settled, withhold
from services.vouchers.domain.results import Left

MANY = 5
IDLE, SEEKER, WORKER = "inactive", "unemployed", "employed"

# Of each indicator: somebody who counts, somebody who does not, and somebody of whom it is not known.
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "EECO02": ({"status": SEEKER}, {"status": IDLE}, {}),
    "EECO03": ({"status": SEEKER, "months": 12}, {"status": SEEKER, "months": 11}, {"status": SEEKER}),
    "EECO04": ({"status": IDLE}, {"status": SEEKER}, {}),
    "EECO05": ({"status": "self_employed"}, {"status": SEEKER}, {}),
    "EECO06": ({"age": 17}, {"age": 18}, {}),
    "EECO07": ({"age": 29}, {"age": 30}, {}),
    "EECO08": ({"age": 55}, {"age": 54}, {}),
    "EECO09": ({"education": 3}, {"education": 4}, {}),
    "EECO10": ({"education": 4}, {"education": 5}, {}),
    "EECO11": ({"education": 5}, {"education": 4}, {}),
    "EECO12": ({"disability": True}, {"disability": False}, {}),
    "EECO13": ({"third_country": True}, {"third_country": False}, {}),
    "EECO14": ({"foreign_background": "yes"}, {"foreign_background": "no"}, {}),
    "EECO15": ({"minority": "yes"}, {"minority": "no"}, {"minority": "not_told"}),
    "EECO16": ({"housing": "yes"}, {"housing": "no"}, {"housing": "not_told"}),
    "EECO17": ({"urbanisation": 3}, {"urbanisation": 2}, {}),
    "EECR01": (
        {"status": IDLE, "left_as": Left.SEEKING},
        {"status": SEEKER, "left_as": Left.SEEKING},
        {"status": IDLE},
    ),
    "EECR02": (
        {"learning": False, "left_to_learn": True},
        {"learning": True, "left_to_learn": True},
        {"left_to_learn": True},
    ),
    "EECR03": ({"qualified": True}, {"qualified": False}, {}),
    "EECR04": (
        {"status": IDLE, "left_as": Left.AT_WORK},
        {"status": WORKER, "left_as": Left.AT_WORK},
        {"status": SEEKER},
    ),
    "EECR05": (
        {"status": SEEKER, "at_work_later": True},
        {"status": SEEKER, "at_work_later": False},
        {"status": SEEKER},
    ),
    "EECR06": (
        {"status": WORKER, "at_work_later": True, "improved": True},
        {"status": SEEKER, "at_work_later": True, "improved": True},
        {"status": WORKER, "at_work_later": True},
    ),
}


def counted(code: str, *groups: tuple[dict[str, Any], int]) -> Counted:
    people = [(Entrant(**known), number) for known, number in groups]
    found = {each.code: each for each in withhold(count(people), settled=True)}
    return found[code]


def test_there_is_an_example_of_each_indicator_but_the_total() -> None:
    assert [code for code, *_ in esf.INDICATORS] == ["EECO01", *EXAMPLES]


@pytest.mark.parametrize("code", EXAMPLES)
def test_each_counts_whom_it_should(code: str) -> None:
    counts, not_so, unknown = EXAMPLES[code]
    found = counted(code, (counts, MANY), (not_so, MANY + 1), (unknown, MANY + 2))
    assert (found.participants, found.unknown, found.suppressed) == (MANY, MANY + 2, False)


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("EECR01", {"status": IDLE, "left_as": Left.AT_WORK}),  # who found work at once counts there alone
        ("EECR02", {"left_to_learn": False}),
        ("EECR04", {"status": SEEKER, "left_as": Left.NEITHER}),
        ("EECR06", {"status": WORKER, "at_work_later": False}),
        ("EECR06", {"status": WORKER, "at_work_later": True, "improved": False}),
    ],
)
def test_what_is_known_to_be_otherwise_is_not_unknown(code: str, known: dict[str, Any]) -> None:
    assert counted(code, (known, MANY))[2:] == (0, 0, 0, False)


def test_who_would_not_say_stands_beside_who_was_not_asked() -> None:
    found = counted("EECO15", ({"minority": "yes"}, 6), ({"minority": "not_told"}, 7), ({}, 1))
    assert (found.participants, found.unknown, found.not_told) == (6, 8, 7)


@pytest.mark.parametrize("code", sorted(SENSITIVE))
@pytest.mark.parametrize(("yes", "no"), [(4, 50), (50, 4), (1, 0)])
def test_nothing_told_by_choice_is_told_of_few(
    code: str, yes: int, no: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, not_so, _ = EXAMPLES[code]
    found = counted(code, (counts, yes), (not_so, no))
    assert found[2:] == (0, 0, 0, True)
    monkeypatch.setattr(esf, "SMALLEST", 1)  # control: without the bound they stand there
    assert counted(code, (counts, yes), (not_so, no)).participants == yes


def test_few_who_would_not_say_are_not_told_of_either() -> None:
    known = [({"minority": answer}, number) for answer, number in (("yes", 9), ("no", 9), ("not_told", 4))]
    assert counted("EECO15", *known).suppressed
    assert not counted("EECO15", *known[:2]).suppressed


def test_of_a_period_that_goes_on_nothing_told_by_choice_is_told() -> None:
    found = withhold(count([(Entrant(minority="yes"), 50)]), settled=False)
    assert {each.code for each in found if each.suppressed} == SENSITIVE


@pytest.mark.parametrize(
    ("first", "last", "whole"),
    [
        (date(2026, 1, 1), date(2026, 6, 30), True),
        (date(2024, 7, 1), date(2025, 12, 31), True),
        (date(2026, 1, 2), date(2026, 6, 30), False),
        (date(2026, 1, 1), date(2026, 6, 29), False),
        (date(2026, 1, 1), date(2026, 7, 1), False),
        (date(2026, 7, 1), date(2026, 12, 31), False),  # not over
    ],
)
def test_only_whole_half_years_that_are_over_are_settled(first: date, last: date, whole: bool) -> None:
    assert settled(first, last, date(2026, 7, 1)) is whole
