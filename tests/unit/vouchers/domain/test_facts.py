"""Facts are taken only in the form that rules can rely on, and what is wrong is said."""

from __future__ import annotations

from datetime import date

import pytest

from services.platform.errors import Refusal
from services.vouchers.domain import facts
from services.vouchers.domain.expressions import compile_condition
from services.vouchers.domain.facts import STATISTICS, Fact, Source, check_all, choose

DAY, NEXT = date(2026, 6, 1), date(2026, 6, 2)


def residence(code: str) -> Fact:
    return Fact("residence_nuts", code, Source.PES_REGISTER, DAY)


@pytest.mark.parametrize("code", ["BE", "NL4", "EL30", "BE211", "FRY10", "DE21H"])
def test_a_nuts_code_of_any_level_is_taken(code: str) -> None:
    check_all([residence(code)], "facts")


@pytest.mark.parametrize(
    "code",
    ["", "B", "be211", "BE2111", "BE 21", "BE-21", "B221", "Antwerpen", "BE21\n", "ΒΕ21", "BE2²"],
)
def test_anything_else_is_refused_with_the_form_it_must_have(code: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_all([residence(code)], "facts")
    assert refused.value.reason_name == "INVALID_ARGUMENT"
    (violation,) = refused.value.violations
    assert violation.field == "facts[0].value"
    assert "such as BE211" in violation.description


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("birth_year", "abc", "a whole number, in `number`"),
        ("employment_status", 1, "a text, in `text`"),
        ("has_disability", 1, "true or false, in `flag`"),
        ("unemployed_since", True, "a day, in `date`"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_words_for_people(
    key: str, value: facts.Value, said: str
) -> None:
    (violation,) = facts.check(Fact(key, value, Source.PES_REGISTER, DAY), "facts[0]")
    assert violation.description == f"must be {said}"


def told(value: str, source: Source, day: date, key: str = "minority") -> Fact:
    return Fact(key, value, source, day)


@pytest.mark.parametrize(
    ("office", "own", "counts"), [(DAY, NEXT, "not_told"), (DAY, DAY, "not_told"), (NEXT, DAY, "yes")]
)
def test_what_is_told_by_choice_is_the_latest_word_and_of_one_day_the_persons(
    office: date, own: date, counts: str
) -> None:
    said = [told("yes", Source.PES_REGISTER, office), told("not_told", Source.SELF_DECLARED, own)]
    for order in (said, said[::-1]):
        assert choose(order, NEXT)["minority"].value == counts


def test_control_of_what_decides_the_register_counts_before_what_people_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = [told("yes", Source.PES_REGISTER, DAY), told("not_told", Source.SELF_DECLARED, NEXT)]
    monkeypatch.setattr(facts, "STATISTICS", frozenset())
    assert choose(said, NEXT)["minority"].value == "yes"


@pytest.mark.parametrize(
    ("key", "value"), [("minority", "maybe"), ("minority", True), ("degree_of_urbanisation", 4)]
)
def test_an_answer_that_there_is_not_is_refused(key: str, value: facts.Value) -> None:
    with pytest.raises(Refusal, match="INVALID_ARGUMENT"):
        check_all([Fact(key, value, Source.PES_REGISTER, DAY)], "facts")


def test_every_fact_but_those_for_statistics_can_be_read_by_a_rule() -> None:
    assert len(STATISTICS) == 4
    readable = {key for key in facts.CATALOGUE if compiles(f"learner.{key} == learner.{key}")}
    assert readable == facts.CATALOGUE.keys() - STATISTICS


def compiles(expression: str) -> bool:
    try:
        compile_condition(expression)
    except Exception:
        return False
    return True
