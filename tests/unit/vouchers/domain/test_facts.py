"""Facts are taken only in the form that rules can rely on, and what is wrong is said."""

from __future__ import annotations

from datetime import date

import pytest

from services.platform.errors import Refusal
from services.vouchers.domain.facts import Fact, Source, check_all

DAY = date(2026, 6, 1)


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
