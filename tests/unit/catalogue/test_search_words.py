"""Words in seven languages: stems, stop words, accents, phrases; and beginnings with an error."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
import tantivy

from services.catalogue.domain.labels import words as split
from services.catalogue.search import schema, words
from services.catalogue.search.documents import document
from services.catalogue.search.suggest import begins_nearly

TITLES = {
    "en": "Nursing the elderly: end of life care",
    "fr": "Métiers des infirmières à l'hôpital",
    "de": "Schweißen für Anfänger und Häuser aus Holz",
    "nl": "Opleidingen voor lassers",
    "es": "Gestión de enfermeras",
    "et": "Keevitajate õppepäevad ja raamatud",
    "pl": "Szkolenia dla spawaczy i pielęgniarek",
    "uk": "Курси для зварників",
}


@pytest.fixture(scope="module")
def searcher() -> tantivy.Searcher:
    index = tantivy.Index(schema.schema())
    schema.register(index)
    writer = index.writer(heap_size=15_000_000, num_threads=1)
    for language, title in TITLES.items():
        empty: dict[str, Any] = {"kind": "course", "eqf_level": 0, "descriptions": {}}
        empty |= {"subjects": [], "occupations": [], "offerings": []}
        state = {"titles": {language: title}, **empty}
        writer.add_document(
            document(
                SimpleNamespace(id=language, organisation_id="x", same_as=None, skills={}, document=state),
                date(2030, 1, 1),
            )
        )
    writer.commit()
    index.reload()
    return index.searcher()


def found(searcher: tantivy.Searcher, query: str, language: str = "") -> list[str]:
    exact = words.exact(query, language)
    if exact is None:
        return []
    hits = searcher.search(exact, 10).hits
    return sorted(str(searcher.doc(address).get_first("id")) for _, address in hits)


@pytest.mark.parametrize(
    ("language", "query"),
    [
        ("en", "nurses "),
        ("fr", "infirmière métier "),
        ("fr", "infirmieres metiers "),  # as written, but for the accents
        ("de", "Haus "),
        ("de", "schweissen anfanger "),
        ("nl", "opleiding lasser "),
        ("es", "gestiones de enfermera "),
        ("et", "raamat keevitaja "),
        ("pl", "szkolenie dla spawacza "),
        ("pl", "spawacz "),
    ],
)
def test_forms_of_a_word_are_found_in_its_language(
    searcher: tantivy.Searcher, language: str, query: str
) -> None:
    assert found(searcher, query, language) == [language]
    assert language in found(searcher, query)


def test_without_stems_the_word_as_it_stands_is_found(searcher: tantivy.Searcher) -> None:
    assert found(searcher, "зварників ") == ["uk"]
    assert found(searcher, "зварник ") == []  # control: no stems, so another form is not
    assert found(searcher, "зварник") == ["uk"]  # but it is the beginning of one


def test_a_word_that_says_nothing_leaves_its_place_in_a_phrase(searcher: tantivy.Searcher) -> None:
    assert found(searcher, '"end of life care"') == ["en"]
    assert found(searcher, '"end-of-life care"') == ["en"]
    assert found(searcher, '"life end"') == []


def test_words_of_every_alphabet_count() -> None:
    assert split("Зварник, C++ i łódź: Ηλεκτρολόγος") == ["зварник", "c++", "i", "łodz", "ηλεκτρολογος"]


@pytest.mark.parametrize(
    ("word", "typed", "alike"),
    [
        ("harbour", "harb", True),
        ("harbour", "hrabo", True),
        ("harbour", "habour", True),
        ("harbour", "harxbo", True),
        ("harbour", "haxbour", True),
        ("harbour", "harbourx", True),
        ("harbour", "harbourxx", False),
        ("harbour", "hxxb", False),
        ("harbour", "hxr", False),  # too short to be mistaken
        ("harbour", "harbuor", True),
        ("harbour", "hrabuor", False),
    ],
)
def test_begins_but_for_one_letter(word: str, typed: str, alike: bool) -> None:
    assert begins_nearly(word, typed) is alike
