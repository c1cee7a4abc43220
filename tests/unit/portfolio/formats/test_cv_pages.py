"""CVs as pages and PDF: read by everybody, in their language, and anonymous where asked."""

from __future__ import annotations

import io
import zipfile
from itertools import pairwise

import pytest
from lxml import html
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry

from services.platform.paper import pages
from services.portfolio.formats import (
    europass_files,
    json_resume,
    leap2a_archive,
    page,
)
from services.portfolio.formats.anonymous import anonymised
from services.portfolio.formats.format import Cv
from services.portfolio.formats.formats import FORMATS
from tests.support.documents import NOW, cv, full, written

XML, LEAP = europass_files.XML, leap2a_archive.FORMAT


def test_an_anonymous_cv_says_not_whose_it_is() -> None:
    said = full().portfolio
    said.entries[0].description["en"] = "An Maria Peeters, +32 470 12 34 56, led Anders' team"
    said.entries[0].title = "Assistant of PEETERS"
    hidden = anonymised(said)
    for number, format_ in FORMATS.items():
        if format_ is page.PDF:
            continue
        text = written(format_, Cv(hidden, "en", NOW))
        if format_ is LEAP:
            text = zipfile.ZipFile(io.BytesIO(text)).read("leap2a.xml")
        for secret in (
            b"Peeters",
            b"PEETERS",
            b"Maria",
            b"470",
            b"1971",
            b"Kaai",
            b"2015",
            b"C-17",
            b"Welds",
        ):
            assert secret not in text, (secret, number)
        assert b"Title 2" in text
        assert b"Anders" in text  # another word that begins like a name
    open_ = written(json_resume.FORMAT, Cv(said, "en", NOW))  # control
    assert b"Peeters" in open_
    assert b"1971" in open_


@pytest.mark.parametrize(("language", "heading"), [("en", "Work"), ("nl-BE", "Werk"), ("fi", "Work")])
def test_a_page_can_be_read_by_everybody(language: str, heading: str) -> None:
    made = Cv(full().portfolio, language, NOW)
    tree = html.fromstring(written(page.HTML, made).decode())
    levels = [int(each.tag[1]) for each in tree.iter("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert tree.findtext("head/title") == tree.findtext("body/main/h1") == "An Maria Peeters"
    assert heading in [each.text for each in tree.iter("h2")]
    assert tree.get("lang") == (language[:2] if language != "fi" else "en")
    # Words of the person in another language than the headings say so.
    assert {each.get("lang") for each in tree.iter("p")} - {None} == (
        set() if language == "en" else {language}
    )


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_page_has_all_its_words_in_every_language(language: str) -> None:
    def named(code: str) -> dict[str, list[str]]:
        words = pages.words_of(page._FOLDER / "words", code)
        return {name: sorted(said) if isinstance(said, dict) else [] for name, said in words.items()}

    assert named(language) == named("en")


def test_what_a_person_writes_is_no_markup_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    said = cv(Entry(kind=entries.ENTRY_KIND_WORK, title="<script>alert(1)</script>"))
    assert b"<script>" not in written(page.HTML, said)
    careless = pages.templates(page._FOLDER).overlay(autoescape=False)
    monkeypatch.setattr(pages, "templates", lambda _: careless)  # control
    assert b"<script>" in written(page.HTML, said)


def test_a_pdf_is_tagged() -> None:
    made = written(page.PDF, Cv(full().portfolio, "nl", NOW))
    for mark in (b"<pdfuaid:part>1</pdfuaid:part>", b"/StructTreeRoot", b"<rdf:li>nl</rdf:li>"):
        assert mark in made
