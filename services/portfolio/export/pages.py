"""The pages of an archive: any resource as a list of what it says, in words made of the contract's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date
from pathlib import Path
from typing import Any, TypeAlias

from babel.dates import format_date
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from services.platform.paper import pages
from services.portfolio.formats.texts import as_iso

_FOLDER = Path(__file__).parent
Said: TypeAlias = "str | list[tuple[str, Said]]"  # a text, or labels with what stands under each


class Pages:
    """The pages in one of pages.LANGUAGES. Names of fields and values are the contract's, in English."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._words = pages.words_of(_FOLDER / "words", language)

    def page(self, part: str, messages: Iterable[Message]) -> Iterator[bytes]:
        """Yields the page of a kind of things, a name of PARTS, UTF-8, as it is made."""
        resources = (said(message, self._words) for message in messages)
        return self._rendered("page.html", title=self._words["parts"][part], resources=resources)

    def index(self, day: date, holder: str, **facts: Any) -> Iterator[bytes]:
        """Yields the first page of an archive that was made on a `day` (UTC), UTF-8."""
        when = format_date(day, "long", locale=self._language)
        return self._rendered(
            "index.html", taken=self._words["taken"].format(day=when, holder=holder), **facts
        )

    def _rendered(self, template: str, **facts: Any) -> Iterator[bytes]:
        found = pages.templates(_FOLDER).get_template(template)
        parts = found.generate(lang=self._language, words=self._words, **facts)
        return (part.encode() for part in parts)


def said(message: Message, words: Mapping[str, Any]) -> Said:
    """Returns what a message says: each field that is set, under its name in plain words; `words` has those
    for yes and no."""
    if isinstance(message, Timestamp):
        return f"{message.ToDatetime(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(message, Date):
        return as_iso(message)
    found: list[tuple[str, Said]] = []
    for field, value in message.ListFields():
        label = _words(field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            found += [(f"{label} ({key})", str(value[key])) for key in sorted(value)]
        elif field.is_repeated:
            found += [(label, _value(field, each, words)) for each in value]
        else:
            found.append((label, _value(field, value, words)))
    return found


def _value(field: FieldDescriptor, value: Any, words: Mapping[str, Any]) -> Said:
    if field.message_type:
        return said(value, words)
    if field.enum_type:
        return _enum(field.enum_type, value)
    return str(words["yes" if value else "no"] if isinstance(value, bool) else value)


def _enum(kind: EnumDescriptor, number: int) -> str:
    value = kind.values_by_number.get(number)
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.name).upper() + "_"
    return _words(value.name.removeprefix(prefix).lower()) if value else str(number)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
