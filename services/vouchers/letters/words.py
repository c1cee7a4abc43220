"""The words of letters, by language, and amounts and days as the language writes them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency

FALLBACK = "en"
_FOLDER = Path(__file__).parent / "texts"
_LOCALES = {"de": "de_DE", "en": "en_IE", "fr": "fr_BE", "nl": "nl_BE"}
LANGUAGES = tuple(_LOCALES)


def language_of(code: str) -> str:
    """Returns the language of a letter for a BCP 47 code such as `de-AT`; English for any other."""
    primary = code.partition("-")[0].lower()
    return primary if primary in _LOCALES else FALLBACK


def translated(texts: Mapping[str, str], language: str) -> str:
    """Returns the text in the language, else in English, else in the first there is; empty without any."""
    return texts.get(language) or texts.get(FALLBACK) or next(iter(texts.values()), "")


@cache
def words_of(language: str) -> Mapping[str, Any]:
    """Returns the words of one of LANGUAGES."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def amount(cents: int, currency: str, language: str) -> str:
    """Returns an amount as the language writes it: `€ 1.250,00` in Dutch."""
    return format_currency(Decimal(cents) / 100, currency, locale=_LOCALES[language])


def day(value: date, language: str) -> str:
    """Returns a day as the language writes it: `6 november 2026` in Dutch."""
    return format_date(value, "long", locale=_LOCALES[language])
