"""What differs between two messages of one type, field by field, as people read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from google.type import date_pb2, money_pb2

from services.vouchers.domain.money import cents_of

# The field that names an element of a list; in lists without one an element is named by its place.
_IDS = ("id", "code", "clause", "key")
_TOP = re.compile(r"[.\[]")
_PRESENT = "set"
_DEFAULTS = {"", "0", "false"}


@dataclass(frozen=True)
class Difference:
    """One field that is not the same. `path` as in the contract's FieldDifference; None: not there."""

    path: str
    before: str | None
    after: str | None


def differences(before: Message, after: Message, ignored: frozenset[str] = frozenset()) -> list[Difference]:
    """Returns what differs between two messages of one type, in the order of their fields.

    `ignored`: names of top-level fields that do not count. A part that is there on one side only is told by
    its fields that are not at their default, or as `set` where all are.
    """
    one, other = _leaves(before, ignored), _leaves(after, ignored)
    place = {field.name: field.index for field in before.DESCRIPTOR.fields}
    paths = sorted(dict.fromkeys((*one, *other)), key=lambda path: place[_TOP.split(path, maxsplit=1)[0]])
    found = [
        Difference(path, one.get(path), other.get(path)) for path in paths if one.get(path) != other.get(path)
    ]
    told = [item for item in found if not _says_nothing(item, one, other)]
    return [item for item in told if not _told_below(item, told)]


def _leaves(message: Message, ignored: frozenset[str]) -> dict[str, str]:
    return {
        path: text
        for field in message.DESCRIPTOR.fields
        if field.name not in ignored
        for path, text in _field(message, field, field.name)
    }


def _field(message: Message, field: Any, path: str) -> Iterator[tuple[str, str]]:
    value = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        for key in sorted(value):
            yield f"{path}[{key}]", str(value[key])
    elif field.is_repeated and field.message_type is None:
        yield path, ", ".join(_scalar(field, item) for item in value)
    elif field.is_repeated:
        yield from _elements(value, path)
    elif field.message_type is None:
        yield path, _scalar(field, value)
    elif message.HasField(field.name):
        yield from _message(value, path)


def _elements(value: list[Message], path: str) -> Iterator[tuple[str, str]]:
    names = [_name(item, index) for index, item in enumerate(value)]
    yield path, ", ".join(names)  # the order, as far as both sides have an element: see `_says_nothing`
    for name, item in zip(names, value, strict=True):
        for field in item.DESCRIPTOR.fields:
            if field.name not in _IDS:
                yield from _field(item, field, f"{path}[{name}].{field.name}")


def _message(value: Message, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, money_pb2.Money):
        cents = cents_of(value)
        yield (
            path,
            f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d} {value.currency_code}",
        )
    elif isinstance(value, date_pb2.Date):
        yield path, f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
    else:
        yield path, _PRESENT
        for field in value.DESCRIPTOR.fields:
            yield from _field(value, field, f"{path}.{field.name}")


def _name(item: Message, index: int) -> str:
    fields = item.DESCRIPTOR.fields_by_name
    named = next((str(getattr(item, field)) for field in _IDS if field in fields), "")
    return named or str(index)


def _scalar(field: Any, value: object) -> str:
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else str(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _says_nothing(item: Difference, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """True for a default that the other side lacks, and for a list whose common elements keep their order."""
    if item.before is None or item.after is None:
        there = item.before or item.after or ""
        return there in _DEFAULTS or there.endswith("_UNSPECIFIED")
    if not any(path.startswith(f"{item.path}[") for path in (*one, *other)):
        return False
    before, after = item.before.split(", "), item.after.split(", ")
    return [name for name in before if name in after] == [name for name in after if name in before]


def _told_below(item: Difference, found: list[Difference]) -> bool:
    """True when a part's own fields say already that it is there on one side only."""
    return _PRESENT in (item.before, item.after) and any(
        other.path.startswith(f"{item.path}.") for other in found
    )
