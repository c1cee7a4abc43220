"""Modules, target groups and territories of courses: how they are read, and how many are kept."""

from __future__ import annotations

import pytest

from services.catalogue.domain import features as domain
from services.catalogue.domain.features import features, level_text, module


@pytest.mark.parametrize(
    ("level", "kept", "text"),
    [
        ("EQF 4", {"eqf": 4}, "EQF 4"),
        ("eqf4", {"eqf": 4}, "EQF 4"),
        ("EQF 9", {"level": "EQF 9"}, "EQF 9"),
        ("advanced", {"level": "advanced"}, "advanced"),
        ("", {}, ""),
    ],
)
def test_a_level_is_of_the_framework_or_of_ones_own(level: str, kept: dict[str, object], text: str) -> None:
    found = module("Seams", level)
    assert found == {"title": "Seams", **kept}
    assert level_text(found) == text


def test_what_is_empty_is_left_out_and_tags_are_told_once() -> None:
    assert features([module("", "EQF 4")], ["", ""], []) == {}
    assert features([], ["Women", "women", "Age 50+"], ["B", "A", "B"]) == {
        "target_groups": ["age 50+", "women"],
        "territories": ["A", "B"],
    }


def test_so_many_are_kept_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    def counts() -> list[int]:
        names = [f"{number:03}" for number in range(200)]
        return [len(each) for each in features((module(name, "") for name in names), names, names).values()]

    assert counts() == [100, 30, 30]
    monkeypatch.setattr(domain, "MAX_MODULES", 1000)  # the guards off
    monkeypatch.setattr(domain, "MAX_TAGS", 1000)
    assert counts() == [200, 200, 200]
