"""What pages for people share: the languages that most come in, their words and their templates."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

LANGUAGES = ("da", "de", "el", "en", "et", "fr", "nl", "pt")
FALLBACK = "en"


def language_of(code: str, languages: Collection[str] = LANGUAGES) -> str:
    """Returns the language of a page for a BCP 47 code such as `de-AT`; English for one that is not among
    those that the page comes in."""
    primary = code.partition("-")[0].lower()
    return primary if primary in languages else FALLBACK


@cache
def words_of(folder: Path, language: str) -> Mapping[str, Any]:
    """Returns the words in a language that the page comes in, which are in a file of `folder` for each."""
    return tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))


@cache
def templates(folder: Path) -> Environment:
    """Returns the templates in `folder`: what is said is escaped, and a word that is missing is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
