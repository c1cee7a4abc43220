"""A letter as HTML from the template of its kind, and as PDF from that HTML: one text for both."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from lxml import html as markup

from services.vouchers.letters import words
from services.vouchers.letters.said import Condition, Said

_FOLDER = Path(__file__).parent


def as_html(said: Said, language: str) -> bytes:
    """Returns the letter as HTML, UTF-8. `language`: one of `words.LANGUAGES`."""
    template = _environment().get_template(f"{said.kind}.html")
    page = template.render(
        lang=language,
        t=words.words_of(language),
        said=said,
        programme=words.translated(said.programme_names, language),
        conditions=[(condition_text(each, language), each.legal_reference) for each in said.conditions],
        amount=lambda cents: words.amount(cents, said.currency, language),
        day=lambda value: words.day(value, language),
    )
    return page.encode()


def as_pdf(said: Said, language: str) -> bytes:
    """Returns the letter as PDF/UA-1: tagged, so that a screen reader reads it in order."""
    import typst  # here and not above: 30 MB that only who writes a PDF needs

    page = markup.fromstring(as_html(said, language).decode())
    letter = {"lang": language, "title": page.findtext("head/title"), "blocks": _blocks(page)}
    made = typst.compile(
        (_FOLDER / "letter.typ").read_bytes(),
        format="pdf",
        sys_inputs={"letter": json.dumps(letter, ensure_ascii=False)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,  # the same bytes on every machine
    )
    assert isinstance(made, bytes)
    return made


def condition_text(condition: Condition, language: str) -> str:
    """Returns the condition in words: the rules' in this language, ours, the rules' in another, its code."""
    ours: str | None = words.words_of(language)["conditions"].get(condition.clause)
    own = condition.texts.get(language)
    return own or ours or words.translated(condition.texts, language) or condition.clause


def _blocks(page: Any) -> list[dict[str, Any]]:
    """Returns the elements of the letter's body in order, each with its text."""
    found: list[dict[str, Any]] = []
    for element in page.find("body/main"):
        if element.tag in ("h1", "h2"):
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


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
