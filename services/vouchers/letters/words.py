"""The words of letters, by language, and amounts and days as the language writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

from babel.dates import format_date
from babel.numbers import format_currency

from services.platform.paper import pages

words_of = partial(pages.words_of, Path(__file__).parent / "texts")  # in one of LANGUAGES
_LOCALES = {
    "da": "da_DK",
    "de": "de_DE",
    "el": "el_GR",
    "en": "en_IE",
    "et": "et_EE",
    "fr": "fr_BE",
    "nl": "nl_BE",
    "pt": "pt_PT",
}
LANGUAGES = tuple(_LOCALES)
language_of = partial(pages.language_of, languages=LANGUAGES)


def translated(texts: Mapping[str, str], language: str) -> str:
    """Returns the text in the language, else in English, else in the first there is; empty without any."""
    return texts.get(language) or texts.get(pages.FALLBACK) or next(iter(texts.values()), "")


def condition(clause: str, language: str) -> str | None:
    """Returns what a clause of ours asks for, in the language; None for a clause that is not ours."""
    found: str | None = words_of(language)["conditions"].get(clause)
    return found


def amount(cents: int, currency: str, language: str) -> str:
    """Returns an amount as the language writes it: `€ 1.250,00` in Dutch."""
    return format_currency(Decimal(cents) / 100, currency, locale=_LOCALES[language])


def day(value: date, language: str) -> str:
    """Returns a day as the language writes it: `6 november 2026` in Dutch."""
    return format_date(value, "long", locale=_LOCALES[language])
