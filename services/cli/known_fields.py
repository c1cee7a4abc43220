"""Fields in files that people write: the edge drops one that it does not know, and the rule with it; of a
value that it does not know it cannot say which there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.cli.exits import ExitCode, Failure, FieldViolation

if TYPE_CHECKING:
    from google.protobuf.message import Message


def known(file: Path, body: dict[str, Any], kind: type[Message]) -> dict[str, Any]:
    """Returns the JSON `body` out of `file` when every field in it is one of a `kind`; raises Failure naming
    each that is not, with its place and what may be meant."""
    if found := list(_unknown(body, kind.DESCRIPTOR, "")):
        raise Failure(
            ExitCode.USAGE,
            f"{file} has fields or values that a {kind.DESCRIPTOR.name} has not.",
            remedy="Write each as the contract does; a field that it does not know would be left out.",
            violations=found,
        )
    return body


def _unknown(value: Any, kind: Any, place: str) -> Iterator[FieldViolation]:
    """Yields what a message of the descriptor `kind` has not."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, kind, f"{place}[{index}]")
    elif isinstance(value, dict) and kind.GetOptions().map_entry:
        inner = kind.fields_by_name["value"].message_type
        for key, item in value.items() if inner else ():
            yield from _unknown(item, inner, f"{place}[{key}]")
    elif isinstance(value, dict):
        fields = {field.json_name: field for field in kind.fields} | dict(kind.fields_by_name)
        for key, item in value.items():
            here = f"{place}.{key}".lstrip(".")
            if key not in fields:
                yield FieldViolation(here, _meant("field", key, [field.json_name for field in kind.fields]))
            elif fields[key].message_type:
                yield from _unknown(item, fields[key].message_type, here)
            elif fields[key].enum_type:
                yield from _unknown_values(item, list(fields[key].enum_type.values_by_name), here)


def _unknown_values(value: Any, names: list[str], place: str) -> Iterator[FieldViolation]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and item not in names:
            yield FieldViolation(place, f"`{item}`: {_meant('value', item, names[1:])}")  # the first is none


def _meant(what: str, key: str, names: list[str]) -> str:
    near = difflib.get_close_matches(key, names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(names)}"
    return f"there is no such {what}; {hint}"
