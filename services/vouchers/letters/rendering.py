"""A letter as HTML from the template of its kind, and as PDF from that HTML: one text for both."""

from __future__ import annotations

from pathlib import Path

from services.platform.paper import pages
from services.platform.paper.printing import pdf_of
from services.vouchers.letters import words
from services.vouchers.letters.said import Condition, Demand, Said

_FOLDER = Path(__file__).parent


def as_html(said: Said | Demand, language: str) -> bytes:
    """Returns the letter as HTML, UTF-8. `language`: one of `words.LANGUAGES`."""
    template = pages.templates(_FOLDER / "templates").get_template(f"{said.kind}.html")
    page = template.render(
        lang=language,
        t=words.words_of(language),
        said=said,
        programme=words.translated(said.programme_names, language),
        training=words.translated(said.titles, language) or said.session,
        conditions=[(condition_text(each, language), each.legal_reference) for each in said.conditions],
        amount=lambda cents: words.amount(cents, said.currency, language),
        day=lambda value: words.day(value, language),
    )
    return page.encode()


def as_pdf(said: Said | Demand, language: str) -> bytes:
    """Returns the letter as PDF/UA-1: tagged, so that a screen reader reads it in order."""
    return pdf_of(as_html(said, language), language)


def condition_text(condition: Condition, language: str) -> str:
    """Returns the condition in words: the rules' in this language, ours, the rules' in another, its code."""
    own, ours = condition.texts.get(language), words.condition(condition.clause, language)
    return own or ours or words.translated(condition.texts, language) or condition.clause
