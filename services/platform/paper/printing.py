"""A page as PDF from its HTML: one text for both."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lxml import html as markup

_FOLDER = Path(__file__).parent
_LACKING = "could not be displayed with font"
_AT = re.compile(r"\.typ:(\d+):")  # the line of an error


class Attached(NamedTuple):
    """An XML file that goes along in a PDF."""

    name: str
    content: bytes


def pdf_of(page: bytes, language: str, attached: Attached | None = None) -> bytes:
    """Returns a page as PDF/UA-1: tagged, so that a screen reader reads it in order.

    `page`: HTML, UTF-8, with a title; in `main` it has `h1` to `h3`, `p`, `ul` and `dl`, side by side.
    """
    read = markup.fromstring(page.decode())
    said = {"lang": language, "title": read.findtext("head/title"), "blocks": _blocks(read)}
    files = [] if attached is None else [{"name": attached.name, "content": attached.content.decode()}]
    return typeset(_FOLDER / "page.typ", said | {"files": files})


def typeset(template: Path, said: Mapping[str, Any]) -> bytes:
    """Returns what a template in Typst makes of `said`, which it reads from its input `said`, as PDF/UA-1.

    A character that no font has, as of Chinese or an emoji, is a box; the standard allows none, so that PDF
    is tagged all the same and does not call itself PDF/UA-1.
    """
    import typst  # here and not above: 30 MB that only who writes a PDF needs

    def made(standards: list[typst.PDFStandard]) -> bytes:
        pdf = typst.compile(
            template.read_bytes(),
            format="pdf",
            sys_inputs={"said": json.dumps(said, ensure_ascii=False)},
            pdf_standards=standards,
            ignore_system_fonts=True,  # the same bytes on every machine
        )
        assert isinstance(pdf, bytes)
        return pdf

    try:
        return made(["ua-1"])
    except typst.TypstError as error:
        if _LACKING not in error.message:
            raise
        return made([])


def lacking(text: str) -> frozenset[str]:
    """Returns the characters of a text that no font has: boxes in a PDF, which is then no PDF/UA-1."""
    import typst  # as above

    letters = sorted(letter for letter in set(text) if not letter.isascii())
    lines = (f'#"\\u{{{ord(letter):x}}}"' for letter in letters)  # each in one of its own, from the second on
    source = "\n".join(['#set document(title: "x")', *lines])
    try:
        typst.compile(source.encode(), format="pdf", pdf_standards=["ua-1"], ignore_system_fonts=True)
    except typst.TypstError as error:
        if _LACKING not in error.message:
            raise
        return frozenset(letters[int(line) - 2] for line in _AT.findall(error.diagnostic))
    return frozenset()


def _blocks(page: Any) -> list[dict[str, Any]]:
    """Returns the elements of the page's body in order, each with its text."""
    found: list[dict[str, Any]] = []
    for element in page.find("body/main"):
        if element.tag in ("h1", "h2", "h3"):
            found.append({"kind": "heading", "level": int(element.tag[1]), "text": _text(element)})
        elif element.tag == "dl":
            texts = [_text(each) for each in element]
            found.append({"kind": "terms", "items": list(zip(texts[::2], texts[1::2], strict=True))})
        elif element.tag == "ul":
            found.append({"kind": "list", "items": [_text(each) for each in element]})
        else:
            found.append({"kind": "text", "text": _text(element)})
    return found


def _text(element: Any) -> str:
    """Returns the text of an element; breaks and indents of the template are one blank, hard blanks stay."""
    return " ".join(piece for piece in str(element.text_content()).replace("\n", " ").split(" ") if piece)
