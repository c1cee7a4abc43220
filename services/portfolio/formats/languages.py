"""Languages and how well they are spoken, as documents name them."""

from __future__ import annotations

from functools import cache

from babel import Locale
from babel.core import get_global
from waymark.portfolio.v1.entry_pb2 import CefrLevel, LanguageDetail

SKILLS = ("listening", "reading", "spoken_interaction", "spoken_production", "writing")
NATIVE = "Native speaker"
UNKNOWN = "und"  # BCP 47: some language


def fluency(detail: LanguageDetail) -> str:
    """Returns `Native speaker`, or the lowest level of the grid that is filled in; "" for none."""
    if detail.native:
        return NATIVE
    levels = [level for skill in SKILLS if (level := getattr(detail, skill))]
    return level_name(min(levels)) if levels else ""


def take_fluency(text: str, detail: LanguageDetail) -> None:
    """Notes a fluency that is a level or says `native`; other words have no place in the grid."""
    detail.native = text.lower().startswith("native") or text.lower() == "mother tongue"
    for skill in SKILLS if level_of(text) else ():
        setattr(detail, skill, level_of(text))


def level_name(level: int) -> str:
    """`A1` to `C2`; "" for none."""
    return CefrLevel.Name(level).removeprefix("CEFR_LEVEL_") if level else ""  # type: ignore[arg-type]


def level_of(name: str) -> int:
    """Returns the level of `A1` to `C2` in any case, 0 for any other text."""
    return dict(CefrLevel.items()).get(f"CEFR_LEVEL_{name.upper()}", 0)


def code_of(name: str, language: str) -> str:
    """Returns the tag of a language by its name in `language` or English, `und` when it is unknown."""
    primary = language.partition("-")[0].lower()
    return _names(primary).get(name.lower()) or _names("en").get(name.lower()) or UNKNOWN


def three_letters(tag: str) -> str:
    """Returns the code of ISO 639-2 (terminological) of a language tag; the tag where it has none."""
    return _codes().get(tag.partition("-")[0].lower(), tag)


def tag_of(code: str) -> str:
    """Returns the tag of a language by its code of two or three letters (ISO 639-1, both of 639-2), which may
    end an address; `und` for what is none."""
    code = code.rpartition("/")[2].lower()
    if not (2 <= len(code) <= 3 and code.isascii() and code.isalpha()):
        return UNKNOWN
    return str(get_global("language_aliases").get(code, code)).replace("_", "-")


def name_of(tag: str, language: str) -> str:
    """Returns what a language is called in `language`, or in English; "" where that is not known."""
    names = _locale(language.partition("-")[0].lower()).languages
    return str(names.get(tag.replace("-", "_"), ""))


@cache
def _codes() -> dict[str, str]:
    aliases = get_global("language_aliases").items()
    found = [(short, code) for code, short in aliases if len(short) == 2 and len(code) == 3]
    # Of several the last one stays: that begins like the tag (`deu`, not `ger`), and else the first (`fra`).
    found.sort(reverse=True)
    return dict(sorted(found, key=lambda pair: pair[1].startswith(pair[0])))


@cache
def _names(language: str) -> dict[str, str]:
    return {name.lower(): code.replace("_", "-") for code, name in _locale(language).languages.items()}


def _locale(language: str) -> Locale:
    return Locale.parse(language) if language in ("de", "en", "es", "fr", "nl") else Locale("en")
