"""The pages of an archive: any resource as a list of what it says, in words made of the contract's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from services.platform.paper import pages
from services.portfolio.formats.texts import as_iso

_FOLDER = Path(__file__).parent
Said: TypeAlias = "str | list[tuple[str, Said]]"  # a text, or labels with what stands under each


def page(title: str, messages: Iterable[Message]) -> Iterator[bytes]:
    """Yields the page of a kind of things, UTF-8, as it is made."""
    rendered = _template("page.html").generate(title=title, resources=map(said, messages))
    return (part.encode() for part in rendered)


def index(**facts: Any) -> Iterator[bytes]:
    """Yields the first page of an archive, UTF-8."""
    return (part.encode() for part in _template("index.html").generate(**facts))


def said(message: Message) -> Said:
    """Returns what a message says: each field that is set, under its name in plain words."""
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
            found += [(label, _value(field, each)) for each in value]
        else:
            found.append((label, _value(field, value)))
    return found


def _value(field: FieldDescriptor, value: Any) -> Said:
    if field.message_type:
        return said(value)
    if field.enum_type:
        return _enum(field.enum_type, value)
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _enum(kind: EnumDescriptor, number: int) -> str:
    value = kind.values_by_number.get(number)
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.name).upper() + "_"
    return _words(value.name.removeprefix(prefix).lower()) if value else str(number)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _template(name: str) -> Any:
    return pages.templates(_FOLDER).get_template(name)
