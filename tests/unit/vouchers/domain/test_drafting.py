"""Each finding on a draft says which clause, what is wrong and how to mend it."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from services.platform.errors import Refusal
from services.vouchers.domain.drafting import check_draft
from services.vouchers.domain.programme import Version, compile_rules

SAMPLES = Path(__file__).parents[4] / "samples" / "programmes"


def version(*expressions: str) -> Any:
    content = json.loads((SAMPLES / "flemish-training-voucher.json").read_text())
    made = ParseDict(content["version"], Version())
    del made.clauses[:]
    for index, expression in enumerate(expressions):
        made.clauses.add(id=f"c-{index}", expression=expression, reason_code="NO")
    return made


def findings(made: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refusal) as refused:
        check_draft("programmes/p/versions/1", "EUR", made)
    assert refused.value.reason_name == "RULE_INVALID"
    return [(item.field, item.description) for item in refused.value.violations]


@pytest.mark.parametrize(
    ("expression", "said", "remedy"),
    [
        (
            "learner.shoe_size > 3",
            "line 1, column 8: undeclared",
            "There are learner.education_level",
        ),
        ("learner.educaton_level > 3", "undeclared reference", "did you mean `learner.education_level`?"),
        ("course.lvl == 3", "undeclared reference", "course.eqf_level"),
        ("learner.minority == 'yes'", "undeclared reference", "told for statistics alone"),
        ("learner.degree_of_urbanisation == 3", "undeclared reference", "told for statistics alone"),
        ("upper(learner.residence_nuts) == 'BE'", "undeclared reference", "functions are contains"),
        ("learner.education_level < '4'", "no matching overload", "numbers without quotes"),
        ("true &&\n learner.has_disability == 1", "line 2, column 25", "of one type"),
        ("(learner.education_level < 4", "Syntax error", "bracket"),
        ("learner.education_level + 1", "is a INT", "compare it: `learner.education_level < 4`"),
        (
            "learner.unemployed_since < '2026-01-01'",
            "no matching overload",
            "timestamp('2026-07-01T00:00:00Z')",
        ),
        ("today.date - learner.unemployed_since > 180", "no matching overload", "duration('4380h')"),
        ("learner.education_level <= 9", "is never 9", "goes from 0 to 8"),
        ("9 > learner.education_level", "is never 9", "goes from 0 to 8"),
        ("learner.employment_status == 'unemployd'", "is never 'unemployd'", "unemployed"),
        ('"idle" != learner.employment_status', 'is never "idle"', "inactive"),
        ("learner.employment_status in ['employed', 'jobless']", "is never 'jobless'", "one of"),
        ("learner.birth_year / 0 == 1", "never decided", "divides by zero"),
        ("learner.residence_nuts.matches('(')", "never decided", "pattern"),
        ("today.date < timestamp('1 May')", "never decided", "a date"),
        ("[1, 2].exists(x, x == learner.birth_year)", "`exists` repeats", "write the cases out"),
        ("[1, 2].map(x, [x].filter(y, true)).size() > 1", "`map` repeats", "&& or ||"),
        (
            " || ".join(["learner.birth_year == 1990"] * 65),
            "costs 259 steps",
            "split it into several clauses",
        ),
    ],
)
def test_a_finding_names_clause_place_and_remedy(expression: str, said: str, remedy: str) -> None:
    (found, *_) = findings(version("true", expression))
    assert found[0] == "version.clauses[1].expression"
    assert found[1].startswith("c-1: ")
    assert said in found[1]
    assert remedy in found[1]


@pytest.mark.parametrize(
    "expression",
    [
        "learner.education_level <= 8 && 0 <= learner.education_level",
        "learner.residence_nuts in ['BE211', 'NL'] || learner.residence_nuts.startsWith('BE2')",
        "learner.unemployed_since < timestamp('2026-01-01T00:00:00Z')",
        "learner.residence_nuts != '[1].exists(x, learner.education_level <= 99)'",
        "learner.birth_year < today.year - 54",
        "today.year - learner.birth_year >= 18 && 65 > today.year - learner.birth_year",
        "today.year - 18 >= learner.birth_year && learner.birth_year > 0 - 65 + today.year",
        "today.date - learner.unemployed_since > duration('4380h')",
        "course.price_cents <= 250000",
    ],
)
def test_what_makes_sense_has_no_findings(expression: str) -> None:
    assert check_draft("programmes/p/versions/1", "EUR", version(expression)).clauses


def test_all_findings_come_at_once_for_groups_and_payment_too() -> None:
    made = version("learner.shoe_size > 3", "learner.education_level > 8 || learner.education_level > 10")
    made.target_groups.add(code="late", expression="1")
    made.payment_rule.evidence_count = 0
    found = findings(made)
    assert [place for place, _ in found] == [
        "version.clauses[0].expression",
        "version.target_groups[2].expression",
        "version.clauses[1].expression",
        "version.target_groups[2].expression",
        "version.payment_rule.evidence_count",
    ]
    assert "late: is a INT" in found[1][1]
    assert "`everyone-else` before it takes everyone; move it up" in found[3][1]


def test_versions_in_force_are_not_held_to_checks_that_came_later() -> None:
    made = version("[1, 2].exists(x, x == learner.birth_year)")
    assert compile_rules("programmes/p/versions/1", "EUR", made).clauses


def test_control_what_the_cost_limit_is_for() -> None:
    """Nested macros within the length that the contract allows would run their body a million times."""
    nested = "learner.birth_year > 1900"
    for depth in range(6):
        nested = f"[0,1,2,3,4,5,6,7,8,9].all(x{depth}, {nested})"
    assert len(nested) < 2000
    rules = compile_rules("programmes/p/versions/1", "EUR", version(nested))
    with pytest.raises(RuntimeError, match="budget"):  # which every application would be answered with
        rules.clauses[0].condition.holds({"learner.birth_year": 1990})
    assert [said for _, said in findings(version(nested))] == [
        "c-0: `all` repeats its body, which has no limit; write the cases out with `in`, && or ||"
    ]
