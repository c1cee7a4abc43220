"""Concepts found by what they are called, in a small taxonomy of our own."""

from __future__ import annotations

from random import Random

import pytest

from services.catalogue.domain import naming
from services.catalogue.domain.naming import LEAST, Named, Names

CONCEPTS = [
    Named("u:bake", "bake bread", ["make loaves", "prepare dough"]),
    Named("u:oven", "tend bread ovens", []),
    Named("u:lead", "leadership principles", []),
    Named("u:team", "lead a team", ["supervise crew"]),
    Named("u:pm", "project management", []),
    Named("u:images", "management of images for many projects", []),
    Named("u:route", "optimise routes", []),
    Named("u:cut", "cut hedges", []),
    Named("u:cpp", "C++", []),
    Named("u:c", "C", []),
]
NAMES = Names(CONCEPTS, "en")


def first(phrase: str, names: Names = NAMES) -> str:
    return names.rank(phrase)[0].uri


def test_the_label_itself_is_found_surest() -> None:
    for concept in CONCEPTS:
        best = NAMES.rank(concept.label)[0]
        assert best.uri == concept.uri
        assert best.confidence >= 0.75


def test_a_preferred_label_alone_fills_the_scale() -> None:
    assert NAMES.rank("optimise routes")[0].confidence == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("phrase", "uri"),
    [
        ("baking of fresh bread", "u:bake"),  # inflected, with other words between
        ("Preparing the dough", "u:bake"),  # another label
        ("management, projects", "u:pm"),  # in another order
        ("optimization of a route", "u:route"),  # American spelling
        ("experience in C++", "u:cpp"),  # signs that are part of a name
        ("hedge cutting", "u:cut"),
    ],
)
def test_other_words_for_the_same(phrase: str, uri: str) -> None:
    assert first(phrase) == uri


def test_beginnings_bring_words_of_one_family_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "u:team" in {match.uri for match in NAMES.rank("leader")}
    monkeypatch.setattr(naming, "PARTS", 0.0)  # the control
    assert not any(match.confidence for match in Names(CONCEPTS, "en").rank("leader"))


def test_less_likeness_is_less_confidence_and_strangers_get_no_tag() -> None:
    near, far = NAMES.rank("project management")[0], NAMES.rank("project accountant in hospitals")[0]
    assert near.confidence > LEAST > far.confidence > 0
    assert [match.uri for match in NAMES.tags("project management")] == ["u:pm"]
    assert NAMES.tags("project accountant in hospitals") == []
    assert NAMES.rank("zoology") == []
    assert NAMES.rank("") == NAMES.rank("of the") == []


def test_at_most_as_many_as_asked_and_equals_by_uri() -> None:
    twins = Names([Named("u:b", "weld pipes", []), Named("u:a", "weld pipes", [])], "en")
    assert [match.uri for match in twins.rank("pipes")] == ["u:a", "u:b"]
    assert [match.uri for match in twins.rank("pipes", 1)] == ["u:a"]


def test_the_order_of_the_concepts_changes_nothing() -> None:
    turned = [*CONCEPTS]
    Random(7).shuffle(turned)
    other = Names(turned, "en")
    for phrase in ("bread", "leading projects", "management of routes", "C"):
        assert other.rank(phrase) == NAMES.rank(phrase)


def test_any_language_and_alphabet() -> None:
    greek = Names([Named("u:1", "διαχείριση έργων", []), Named("u:2", "ψήσιμο ψωμιού", [])], "el")
    assert first("Διαχειριση", greek) == "u:1"
    dutch = Names([Named("u:1", "projecten leiden", []), Named("u:2", "brood bakken", [])], "nl")
    assert first("het bakken van brood", dutch) == "u:2"


def test_only_the_first_words_of_a_long_text_count() -> None:
    filler = " ".join(f"word{n}" for n in range(naming.MOST_WORDS))
    assert NAMES.rank(f"{filler} project management") == []
    assert Names([], "en").rank("project management") == []


def test_the_clearest_is_close_and_well_before_the_next() -> None:
    found = NAMES.clearest("optimization of routes")
    assert found is not None
    assert found.uri == "u:route"
    assert NAMES.clearest("zoology") is None
    food, other = (Named(uri, "food science", []) for uri in ("u:food", "u:other"))
    assert Names([food], "en").clearest("the science of food") is not None
    assert Names([food, other], "en").clearest("the science of food") is None  # either might be meant
