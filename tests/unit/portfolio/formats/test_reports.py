"""What a report tells beside fields of the portfolio: title, letter, and what no font can show."""

from __future__ import annotations

from dataclasses import replace

import pytest
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.cv_pb2 import Cv as Version
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.platform.paper import printing
from services.portfolio.documenting import Material, Planning, cv_of, report
from services.portfolio.formats.format import lacks_none
from services.portfolio.formats.formats import FORMATS
from services.portfolio.formats.losses import losses
from tests.support.documents import NOW, cv, written

NAME = "holders/h/cvs/c"
HTML, PDF = pb.DOCUMENT_FORMAT_HTML, pb.DOCUMENT_FORMAT_PDF
PAGES = {HTML, PDF}


def told(number: int, version: Version, *, letter: bool = False) -> set[str]:
    """What the report says of a version of a CV of nothing."""
    request = pb.ExportDocumentRequest(format=number, cv=NAME, cover_letter=letter)  # type: ignore[arg-type]
    material = Material(SharedPortfolio(), version, frozenset(), Planning())
    found = report(request, cv_of(material, request, NOW))
    assert {each.resource for each in found} <= {NAME}
    return {each.field for each in found}


@pytest.mark.parametrize("number", FORMATS)
def test_a_format_without_a_place_for_letter_and_title_tells_so(number: int) -> None:
    whole = Version(title="Foreman", cover_letter="Dear yard")
    assert told(number, whole) == (set() if number in PAGES else {"cv.title", "cv.cover_letter"})
    assert told(number, Version(cover_letter="Dear yard")) == (
        set() if number in PAGES else {"cv.cover_letter"}
    )
    assert told(number, Version()) == set()


def test_a_letter_tells_only_what_cannot_be_shown() -> None:
    version = Version(title="Foreman", cover_letter="Dear yard 焊")
    assert told(PDF, version, letter=True) == {"cv.cover_letter"}
    assert told(HTML, version, letter=True) == set()
    version.title, version.cover_letter = "Foreman 😀", "Dear yard"
    assert told(PDF, version, letter=True) == told(PDF, version) == {"cv.title"}


@pytest.mark.parametrize("strange", ["焊工", "ওয়েল্ডার", "ብየዳ", "😀"])
def test_a_pdf_tells_what_no_font_can_show(strange: str) -> None:
    work = Entry(name="holders/h/entries/1", kind=entries.ENTRY_KIND_WORK, title=f"Welder {strange}")
    plain = Entry(name="holders/h/entries/2", kind=entries.ENTRY_KIND_WORK, title="Schweißer – Größe „Ł“")
    work.description.update({"en": "Seams\n“Łódź” Ελλάδα София", "zh": strange})
    claim = SkillClaim(name="holders/h/skillClaims/s", concept_uri="urn:x:a", label={"en": strange})
    made = cv(work, plain, skill_claims=[claim])
    lost = {("holders/h/entries/1", "entries.title"), ("holders/h/skillClaims/s", "skill_claims.label.en")}
    on_page = set(losses(FORMATS[HTML], made))
    assert set(losses(FORMATS[PDF], made)) - on_page == lost
    assert b"pdfuaid:part" not in written(FORMATS[PDF], made)
    careless = replace(FORMATS[PDF], lacking=lacks_none)  # control
    assert set(losses(careless, made)) == on_page
    assert b"pdfuaid:part" in written(FORMATS[PDF], cv(plain))


def test_characters_that_no_font_has_are_found_one_by_one() -> None:
    assert printing.lacking("a\n中b文é中") == {"中", "文"}
    assert printing.lacking("Ünïcode €") == printing.lacking("") == frozenset()
