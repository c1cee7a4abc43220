"""Each common indicator of the ESF+ counts whom it should; what few people told by choice is not told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vouchers.domain import esf
from services.vouchers.domain.esf import SENSITIVE, Counted, Entrant, count, publish, settled, withhold
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
    assert counted(code, (known, MANY))[2:6] == (0, 0, 0, False)


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
    assert found[2:6] == (0, 0, 0, True)
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


def told(*groups: tuple[Entrant, int]) -> dict[str, Counted]:
    """Returns what leaves the house, by code."""
    counted = publish(withhold(count(groups), settled=True), settled=True)
    return {each.code: each for each in counted if not each.suppressed}


PEOPLE = st.builds(
    Entrant,
    status=st.sampled_from(["unemployed", "inactive", "employed", None]),
    months=st.sampled_from([3, 20, None]),
    age=st.sampled_from([17, 25, 40, 60, None]),
    education=st.sampled_from([2, 4, 7, None]),
    disability=st.sampled_from([True, False, None]),
    left_as=st.sampled_from([*Left, None]),
    at_work_later=st.sampled_from([True, False, None]),
    gender=st.sampled_from([*esf.GENDERS, None]),
)


@given(st.lists(st.tuples(PEOPLE, st.integers(1, 12)), max_size=12))
def test_no_few_people_stand_in_what_leaves_or_follow_from_it(groups: list[tuple[Entrant, int]]) -> None:
    whole, found = {each.code: each for each in count(groups)}, told(*groups)
    everybody = found["EECO01"].participants if found else 0
    for code, each in found.items():
        assert each.suppress_genders() == whole[code].suppress_genders()
        for people in (each.participants, everybody - each.participants - each.unknown):
            assert not 0 < people < esf.SMALLEST
    for codes in esf.SHARED_OUT:
        hidden = [code for code in codes if code not in found]
        if hidden and len(hidden) < len(codes):  # else nothing says of how many it is not known
            unknown = whole[codes[0]].unknown
            left = everybody - unknown - sum(found[code].participants for code in codes if code in found)
            # Whoever subtracts learns how many the hidden ones are together, with those whom none counts.
            uncounted = everybody - unknown - sum(whole[code].participants for code in codes)
            assert len(hidden) > 1 or uncounted
            assert left >= esf.SMALLEST
    for code, bases in esf.WITHIN.items():
        if code in found and all(base in found for base in bases):
            base = sum(found[each].participants for each in bases)
            others = base - found[code].participants - (found[code].unknown - found[bases[0]].unknown)
            assert not 0 < others < esf.SMALLEST


def test_a_number_that_the_others_give_away_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [(Entrant(status), people) for status, people in ((IDLE, 3), (SEEKER, 30), (WORKER, 9))]
    assert {"EECO02", "EECO04", "EECO05"} & told(*groups).keys() == {"EECO02"}
    long, short = (Entrant(SEEKER, months) for months in (20, 3))
    assert "EECO03" not in told((long, 30), (short, 2), (Entrant(WORKER), 10))
    monkeypatch.setattr(esf, "SHARED_OUT", ())  # controls: 42 - 30 - 9 = 3, and 32 - 30 = 2
    assert {"EECO02", "EECO04", "EECO05"} & told(*groups).keys() == {"EECO02", "EECO05"}
    monkeypatch.setattr(esf, "WITHIN", {})
    assert told((long, 30), (short, 2), (Entrant(WORKER), 10))["EECO03"].participants == 30


def test_of_few_participants_or_part_of_a_month_nothing_leaves() -> None:
    assert told((Entrant(SEEKER), 4)) == {}
    assert told((Entrant(SEEKER), 5))["EECO02"].participants == 5
    assert all(each.suppressed for each in publish(count([(Entrant(SEEKER), 50)]), settled=False))


def test_an_export_is_of_whole_months_that_are_over() -> None:
    today = date(2026, 7, 1)
    for first, last, whole in (
        (date(2026, 5, 1), date(2026, 6, 30), True),
        (date(2026, 5, 1), date(2026, 6, 29), False),
        (date(2026, 7, 1), date(2026, 7, 31), False),
    ):
        assert settled(first, last, today, months=1) is whole


@given(st.lists(st.tuples(PEOPLE, st.integers(1, 30)), max_size=12))
def test_no_few_of_a_gender_are_told_of_or_follow(groups: list[tuple[Entrant, int]]) -> None:
    found = {each.code: each for each in withhold(count(groups), settled=True)}
    told = {code: each.genders for code, each in found.items() if not each.gender_suppressed}
    for genders in told.values():
        assert not any(0 < people < esf.SMALLEST for people in genders)
        if "EECO01" in told:
            rest = [all_ - part for all_, part in zip(told["EECO01"], genders, strict=True)]
            assert not any(0 < people < esf.SMALLEST for people in rest)
    for codes in esf.SHARED_OUT:
        assert len(told.keys() & set(codes)) in (0, len(codes))
    for code, bases in esf.WITHIN.items():
        if {code, *bases} <= told.keys():
            base = [sum(numbers) for numbers in zip(*(told[each] for each in bases), strict=True)]
            rest = [all_ - part for all_, part in zip(base, told[code], strict=True)]
            assert not any(0 < people < esf.SMALLEST for people in rest)


def test_participants_are_told_by_gender_where_each_has_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    women, men, unknown = ({"status": SEEKER, "gender": gender} for gender in ("female", "male", None))
    assert counted("EECO02", (women, 7), (men, 6), (unknown, 1)).genders == (7, 6, 0)
    few = ((women, 7), (men, 1))
    assert counted("EECO02", *few)[2:] == (8, 0, 0, False, 0, 0, 0, True)
    long = ({"status": SEEKER, "months": 20, "gender": "female"}, 9), ({"status": SEEKER, "months": 3}, 30)
    apart = (*long, ({"status": SEEKER, "months": 3, "gender": "female"}, 2))
    assert counted("EECO03", *long).genders == (9, 0, 0)
    assert counted("EECO03", *apart).gender_suppressed  # of eleven women nine
    monkeypatch.setattr(esf, "_by_gender", list)  # control
    assert counted("EECO02", *few).genders == (7, 1, 0)
    assert counted("EECO03", *apart).genders == (9, 0, 0)
