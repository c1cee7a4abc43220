"""What people write is printed, also in letters that no font has."""

from __future__ import annotations

import pytest

from services.platform.paper.printing import pdf_of
from tests.support.pdf import text_of

STANDARD = b"<pdfuaid:part>1</pdfuaid:part>"
TAGGED = b"/StructTreeRoot"
LONELY = "\N{CJK UNIFIED IDEOGRAPH-4F60}", "\N{GRINNING FACE}", "\N{MONGOLIAN LETTER A}"


def printed(text: str) -> bytes:
    page = f"<html><head><title>T</title></head><body><main><h1>A</h1><p>{text}</p></main></body></html>"
    return pdf_of(page.encode(), "en")


@pytest.mark.parametrize("text", ["Jo\xe3o", "\u0391\u03b8\u03ae\u03bd\u03b1", "\u0141\xf3d\u017a"])
def test_letters_of_the_fonts_are_told_to_readers_of_screens(text: str) -> None:
    pdf = printed(text)
    assert text in text_of(pdf)
    assert STANDARD in pdf
    assert TAGGED in pdf


@pytest.mark.parametrize("text", LONELY)
def test_what_no_font_has_costs_the_standard_and_not_the_page(text: str) -> None:
    pdf = printed(f"Thanks {text}")
    assert "Thanks" in text_of(pdf)
    assert text not in text_of(pdf)  # a box stands there, which says nothing
    assert STANDARD not in pdf
    assert TAGGED in pdf
