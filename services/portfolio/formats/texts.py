"""Texts and dates as documents have them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from google.type.date_pb2 import Date

MAX_TEXT = 10_000  # characters of a description
_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T[\d:.]*(?:Z|[+-]\d\d:\d\d)?)?)?)?")
_BREAK = re.compile(r"<br\s?/?>|</(?:p|li|div|ul|ol|h\d)>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_UNSAYABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML has no place for


def chosen(texts: Mapping[str, str], language: str) -> str:
    """Returns the text in `language`, else the first in the same language of another region or writing, else
    the first there is; "" without any."""
    return texts.get(tag_among(texts, language), "")


def tag_among(texts: Mapping[str, str], language: str) -> str:
    """Returns the tag of the text that `chosen` returns; "" without any."""
    said = sorted(tag for tag in texts if texts[tag])
    if language in said:
        return language
    near = (tag for tag in said if primary(tag) == primary(language))
    return next(near, said[0] if said else "")


def primary(language: str) -> str:
    """Returns the language of a BCP 47 tag: of `nl-BE`, `nl`."""
    return language.partition("-")[0].lower()


def line(text: str) -> str:
    """Returns a text on one line, each blank a single one."""
    return " ".join(_UNSAYABLE.sub("", text).split())


def say(texts: MutableMapping[str, str], language: str, text: str) -> None:
    """Notes a text, unless it is the one in another language that was chosen where there was none in this."""
    if text and line(text) not in map(line, texts.values()):
        texts[language] = text


def clean(text: str) -> str:
    """Returns a text without characters that no document can hold and without blanks at the ends of lines."""
    lines = (line.strip() for line in _UNSAYABLE.sub("", text).split("\n"))
    return "\n".join(lines).strip()


def cleaned(value: Any) -> Any:
    """Returns JSON whose texts and names are clean."""
    if isinstance(value, dict):
        return {clean(key): cleaned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [cleaned(each) for each in value]
    return clean(value) if isinstance(value, str) else value


def as_markup(text: str) -> str:
    """Returns a text as the HTML that stands in fields of some formats; in HTML blanks are one blank."""
    return html.escape("\n".join(_lines(text)), quote=False).replace("\n", "<br/>")


def of_markup(markup: str) -> str:
    """Returns the text of HTML, a line for each paragraph and item."""
    flat = " ".join(markup.split())
    return "\n".join(_lines(html.unescape(_TAG.sub("", _BREAK.sub("\n", flat)))))


def _lines(text: str) -> Iterator[str]:
    lines = (" ".join(line.split()) for line in clean(text).split("\n"))
    return filter(None, lines)


def as_iso(date: Date) -> str:
    """Returns `2001`, `2001-05` or `2001-05-03`; "" for no date."""
    if not date.year:
        return ""
    parts = f"{date.year:04}", f"{date.month:02}", f"{date.day:02}"
    return "-".join(parts[: 1 + bool(date.month) + bool(date.month and date.day)])


def of_iso(text: str) -> Date | None:
    """Returns the date of a text in ISO 8601, whose time is of no matter; None when it is none."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(each or 0) for each in found.groups())
    return Date(year=year, month=month, day=day)
