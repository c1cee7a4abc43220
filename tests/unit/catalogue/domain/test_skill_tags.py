"""Skills that the texts of courses name, and what becomes of them by what people say."""

from __future__ import annotations

from typing import Any

import pytest
from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_MODEL, TAG_ORIGIN_PERSON

from services.catalogue.domain import skill_tags
from services.catalogue.domain.naming import Named, Names
from services.catalogue.domain.skill_tags import MOST_FOUND, MOST_TAGS, Found, Phrase, Verdict, Word
from services.catalogue.domain.tagging import Label, Tagger

TAGGER = Tagger(
    [
        Label("bake bread", "bake", "", "bake bread", preferred=True),
        Label("prepare dough", "bake", "", "bake bread", preferred=False),
        Label("welding", "weld", "", "welding", preferred=True),
    ],
    "en",
)
NAMES = Names([Named("bake", "bake bread", ["prepare dough"]), Named("weld", "welding", [])], "en")
BREAD, OVEN = Phrase("en", "bread for all"), Phrase("en", "oven")
ONE = Found(BREAD, "bake", "bake bread", 0.7, "1")
OTHER = Found(OVEN, "bake", "bake bread", 0.9, "1")
ACCEPTED = Word(Verdict.ACCEPTED, "bake", "bake bread", "1")
REJECTED = Word(Verdict.REJECTED, "bake", "bake bread", "1")
REPLACED = Word(Verdict.REPLACED, "weld", "welding", "2")


def document(title: str, description: str = "", *subjects: str) -> dict[str, Any]:
    return {"titles": {"en": title}, "descriptions": {"en": description}, "subjects": list(subjects)}


def found(title: str, description: str = "", *subjects: str) -> dict[str, str]:
    """URI → the phrase that names it most surely."""
    every = skill_tags.found(document(title, description, *subjects), "en", TAGGER, NAMES.clearest, "1")
    return {each.uri: each.phrase.text for each in reversed(skill_tags.surest(every))}


def uris(skills: dict[str, Any]) -> list[str]:
    return [tag["uri"] for tag in skills["tags"]]


def test_labels_in_texts_and_titles_close_to_labels_name_skills() -> None:
    assert found("Cooking", "You prepare dough and more.") == {"bake": "prepare dough"}
    assert found("Baking bread") == {"bake": "baking bread"}
    assert found("Evenings", "", "Welding!") == {"weld": "welding"}
    assert found("Zoology", "Animals") == {}


def test_what_is_looked_at_changes_the_digest_and_nothing_else_does() -> None:
    base = document("A", "b", "c")
    assert skill_tags.digest(base) == skill_tags.digest({**base, "url": "https://x", "offerings": [1]})
    others = [
        document("A", "b", "d"),
        document("A", "x", "c"),
        document("B", "b", "c"),
        {**base, "modules": [{"title": "M"}]},
    ]
    assert len({skill_tags.digest(each) for each in (base, *others)}) == 5


def test_phrases_are_short_and_few() -> None:
    long = " ".join(["word"] * 13)
    assert skill_tags.phrases(document("Bread,  for ALL", "", long, "Oven", "oven")) == [BREAD, OVEN]
    assert len(skill_tags.phrases(document("A", "", *(f"s{n}" for n in range(99))))) < 99
    many = [Found(Phrase("en", str(n)), str(n), "", 0.6, "1") for n in range(99)]
    assert len(skill_tags.surest(many)) == MOST_FOUND
    assert len(skill_tags.decided(many, {}, {})["tags"]) == MOST_TAGS


def test_the_surest_phrase_is_shown_and_a_word_on_one_phrase_leaves_the_other() -> None:
    (tag,) = skill_tags.decided([OTHER, ONE], {}, {})["tags"]
    assert (tag["phrase"], tag["origin"], tag["reviewed"]) == ("oven", TAG_ORIGIN_MODEL, False)
    (tag,) = skill_tags.decided([OTHER, ONE], {OVEN: {"bake": REJECTED}}, {})["tags"]
    assert tag["phrase"] == BREAD.text
    every = skill_tags.decided([OTHER, ONE], {OVEN: {"bake": REJECTED}, BREAD: {"bake": REJECTED}}, {})
    assert every == {"tags": [], "refused": ["bake"]}
    (tag,) = skill_tags.decided([OTHER, ONE], {BREAD: {"bake": ACCEPTED}}, {})["tags"]
    assert (tag["phrase"], tag["confidence"], tag["reviewed"]) == (BREAD.text, 0.7, True)


def test_what_a_person_puts_in_its_place_is_of_the_person() -> None:
    shown = skill_tags.decided([ONE], {BREAD: {"bake": REPLACED}}, {})
    assert shown["refused"] == ["bake"]
    (tag,) = shown["tags"]
    assert (tag["uri"], tag["origin"], tag["confidence"], tag["version"]) == (
        "weld",
        TAG_ORIGIN_PERSON,
        1.0,
        "2",
    )


@pytest.mark.parametrize("word", [ACCEPTED, REPLACED])
def test_a_word_holds_though_the_phrase_is_not_found_any_more(word: Word) -> None:
    assert uris(skill_tags.decided([], {BREAD: {"bake": word}}, {})) == [word.uri]
    assert uris(skill_tags.decided([], {}, {"bake": word})) == [word.uri]


def test_a_word_on_a_course_goes_before_one_on_all() -> None:
    accepted, rejected = {BREAD: {"bake": ACCEPTED}}, {BREAD: {"bake": REJECTED}}
    assert skill_tags.decided([ONE], accepted, {"bake": REJECTED}) == {"tags": [], "refused": ["bake"]}
    shown = skill_tags.decided([ONE], rejected, {"bake": ACCEPTED})
    assert (uris(shown), shown["refused"]) == (["bake"], [])
    assert (
        uris(skill_tags.decided([ONE], {BREAD: {"bake": REPLACED}}, {"weld": REJECTED._replace(uri="weld")}))
        == []
    )
