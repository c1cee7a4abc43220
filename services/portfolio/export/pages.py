"""The pages of an archive: any resource as a list of what it says, under labels in the holder's language."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from babel.dates import format_date
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from services.platform.paper import pages
from services.portfolio.formats.texts import as_iso

LANGUAGES = ("de", "en", "fr", "nl")  # fewer than other pages come in: each field of the contract has a word
_FOLDER = Path(__file__).parent


class Label(NamedTuple):
    """What a field is called, and its key in JSON, by which the same is found in the files for programs."""

    text: str
    key: str


class English(str):
    """Words of the contract, which are English on every page."""

    lang = "en"


Said: TypeAlias = "str | list[tuple[Label, Said]]"  # a text, or labels with what stands under each


class Pages:
    """The pages in one of LANGUAGES. Values of enums are the contract's, in English."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._words = pages.words_of(_FOLDER / "words", language)
        self._labels = labels_in(language)

    def page(self, part: str, messages: Iterable[Message]) -> Iterator[bytes]:
        """Yields the page of a kind of things, a name of PARTS, UTF-8, as it is made."""
        resources = (self._said(message) for message in messages)
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

    def _said(self, message: Message) -> Said:
        """Returns what a message says: each field that is set, under its label."""
        if isinstance(message, Timestamp):
            return f"{message.ToDatetime(UTC):%Y-%m-%d %H:%M} UTC"
        if isinstance(message, Duration):
            return str(message.ToTimedelta())
        if isinstance(message, Date):
            return as_iso(message)
        found: list[tuple[Label, Said]] = []
        for field, value in message.ListFields():
            label = Label(self._labels[field.name], field.json_name)
            if field.message_type and field.message_type.GetOptions().map_entry:
                found += [
                    (label._replace(text=f"{label.text} ({key})"), str(value[key])) for key in sorted(value)
                ]
            elif field.is_repeated:
                found += [(label, self._value(field, each)) for each in value]
            else:
                found.append((label, self._value(field, value)))
        return found

    def _value(self, field: FieldDescriptor, value: Any) -> Said:
        if field.message_type:
            return self._said(value)
        if field.enum_type:
            return _enum(field.enum_type, value)
        return str(self._words["yes" if value else "no"] if isinstance(value, bool) else value)


@cache
def labels_in(language: str) -> Mapping[str, str]:
    """Returns what each field of the contract is called on pages in one of LANGUAGES."""
    with (_FOLDER / "words" / "labels.csv").open(encoding="utf-8", newline="") as table:
        return {row["field"]: row[language] for row in csv.DictReader(table)}


def _enum(kind: EnumDescriptor, number: int) -> str:
    value = kind.values_by_number.get(number)
    if value is None:
        return str(number)
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.name).upper() + "_"
    return English(value.name.removeprefix(prefix).replace("_", " ").capitalize())
