"""Anonymous portfolios: no spelling of a name, an e-mail address or a telephone number is left in them."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.holder_pb2 import Contact, Holder
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.formats import naming
from services.portfolio.formats.anonymous import anonymised
from services.portfolio.formats.format import Cv
from services.portfolio.formats.formats import FORMATS
from services.portfolio.formats.naming import HIDDEN, Naming
from tests.support.documents import NOW, written

ADA = Holder(
    given_name="Ada-Maria",
    family_name="van den O'Brien",
    contact=Contact(email="a.m.obrien77@mail.example", phone="+32 470 12 34 56"),
)
MUELLER = Holder(given_name="Jean-Pierre", family_name="Müller-Schmidt")


@pytest.mark.parametrize(
    ("holder", "text", "left"),
    [
        (ADA, "Welder for ADA", "Welder for …"),
        (ADA, "ada maria, Ada.Maria, AdaMaria", "…, …, …"),
        (ADA, "Ada's welding, Adas werk", "…'s welding, … werk"),
        (ADA, "cv_ada_maria2024.pdf", "cv_…2024.pdf"),
        (ADA, "Mrs O’Brien; O`Brien; obrien; BRIEN", "Mrs …; …; …; …"),
        (ADA, "A\u0301da van den O\N{RIGHT SINGLE QUOTATION MARK}Brien.", "…."),
        (ADA, "A\N{SOFT HYPHEN}da", "…"),
        (ADA, "0470 12 34 56 or 0032470123456 or +32 (0)470/12.34.56", "… or … or +…"),
        (ADA, "a.m.obrien77@mail.example, also a.m.obrien77 on the web", "…, also … on the web"),
        (MUELLER, "Mueller, MULLER, Müller, Jean, pierre schmidt", "…, …, …, …, …"),
        (Holder(family_name="Mueller"), "Bei Müller & Müllers", "Bei … & …"),
        (Holder(family_name="Kjær Sørensen"), "Kjaer, SOERENSEN, Sorensen", "…, …, …"),
        (Holder(given_name="Will", family_name="Baker"), "Will bake as a baker", "… bake as a …"),
        (Holder(given_name="小明", family_name="王"), "王小明是焊工", "…是焊工"),
        (Holder(given_name="أحمد"), "عمل وأحمد", "عمل و…"),
        (Holder(family_name="Le"), "Le and Lena", "… and Lena"),
        (Holder(family_name="Wa"), "Wa was", "… was"),
        (Holder(given_name="X" * 200), "x" * 200, "…"),
    ],
)
def test_no_spelling_of_a_name_is_left(holder: Holder, text: str, left: str) -> None:
    assert Naming(holder).without(text) == left
    assert Naming(holder).within(text)
    assert not Naming(holder).within(left)


@pytest.mark.parametrize(
    ("holder", "text"),
    [
        (ADA, "Lasser van de werf in den Haag, o van den o"),  # small words alone are those of a language
        (ADA, "Adam, Canada and the Obrienne"),
        (ADA, "A welder since 2012, 34 seams"),
        (ADA, "12 34 56"),
        (MUELLER, "Mulch, Schmiede"),
        (Holder(given_name="Noé", family_name="Wat"), "No experience, was at work"),
        (Holder(given_name="X" * 200), "X" * 199),
        (Holder(), "Whoever"),
    ],
)
def test_other_words_stay(holder: Holder, text: str) -> None:
    assert Naming(holder).without(text) == text


RARE = st.text("qxzjkwvüöäéñøł", min_size=3, max_size=8).map(lambda each: each.translate(naming._PLAIN))
NAMES = st.lists(RARE, min_size=1, max_size=3)
BETWEEN = st.sampled_from([" ", "-", "‐", "'", "’", ".", "_", ""])


def _spelled(word: str) -> list[str]:
    """A word in each of its spellings."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", word) if not unicodedata.combining(each))
    said = [word, bare, word.translate(naming._SPELLED), unicodedata.normalize("NFD", word)]
    return [form for each in said for form in (each, each.upper(), each.title())]


@settings(max_examples=150, deadline=None)
@given(words=NAMES, between=BETWEEN, data=st.data())
@example(words=["zoë", "kjü"], between="", data=None)
def test_no_form_of_any_name_is_left(words: list[str], between: str, data: Any) -> None:
    known = Naming(Holder(given_name="-".join(words[:1]), family_name=" ".join(words[1:])))
    chosen = [
        _spelled(word)[0] if data is None else data.draw(st.sampled_from(_spelled(word))) for word in words
    ]
    assert known.without(f"by {between.join(chosen)}, 2 of") in {
        f"by {HIDDEN}, 2 of",
        f"by {between.join([HIDDEN] * len(words))}, 2 of",
    }


def test_nothing_of_an_anonymous_portfolio_names_the_holder_in_any_format() -> None:
    said = "Ada's welding with O’Brien"
    work = Entry(
        kind=entries.ENTRY_KIND_WORK,
        title=said,
        organisation="ADA MARIA Ltd",
        place="Adas yard",
        description={"en": "Call 0470/12.34.56", "nl": "Obrien"},
    )
    work.work.occupation_uri = "https://ada-maria.example/welder"
    learnt = Entry(kind=entries.ENTRY_KIND_EDUCATION, title="Welding")
    learnt.education.qualification_uri = "https://obrien.example/"
    own = SkillClaim(concept_uri="urn:waymark:skill:en:ada%27s%20welding", label={"en": said}, level=3)  # type: ignore[arg-type]
    esco = SkillClaim(concept_uri="http://data.europa.eu/esco/skill/welding", label={"en": "weld"})
    open_ = SharedPortfolio(holder=ADA, entries=[work, learnt], skill_claims=[own, esco])
    hidden = anonymised(open_)
    assert hidden.skill_claims[1].concept_uri == esco.concept_uri
    for number, format_ in FORMATS.items():
        assert not _names(_text(number, written(format_, Cv(hidden, "en", NOW)))), number
        assert _names(_text(number, written(format_, Cv(open_, "en", NOW)))), number  # control


def _names(text: str) -> set[str]:
    known = ("ada", "maria", "brien", "12.34.56")
    return {each for each in known if each in text.lower()}


def _text(number: int, document: bytes) -> str:
    if number == pb.DOCUMENT_FORMAT_PDF:
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)
    if number == pb.DOCUMENT_FORMAT_LEAP2A:
        document = zipfile.ZipFile(io.BytesIO(document)).read("leap2a.xml")
    if number == pb.DOCUMENT_FORMAT_HTML:
        document = document.partition(b"<body")[2]  # what it carries is the Candidate document
    return document.decode()
