"""Holds the request against the `buf.validate` rules of its contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import protovalidate
from google.protobuf.message import Message
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation
from services.platform.rpc.patterns import words

_validator = protovalidate.Validator()
NUL = "\0"  # no text in the database can hold it
TOLD = 100  # fields that do


def validation(request: Message, body: bytes) -> None:
    """Raises Refusal(INVALID_ARGUMENT) naming every field that breaks a rule; `body`: the request as sent."""
    if violations := violations_of(request, body):
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations)


def violations_of(message: Message, body: bytes = b"") -> list[Violation]:
    """Returns every breach of a rule, with the path of its field; `body`: the message as sent, if it was."""
    found = _validator.collect_violations(message)
    violations = [Violation(_path(each.proto), _words(each)) for each in found]
    if NUL.encode() in body:  # in hardly any, so hardly any is walked through
        held = (path for path, text in _texts(message) if NUL in text)
        violations += [Violation(path, "must not hold the character NUL") for path in islice(held, TOLD)]
    return violations


def _words(violation: Any) -> str:
    """What the field must be; a pattern is told in words, not as it stands in the contract."""
    by_pattern = violation.proto.rule_id == "string.pattern"
    return words(violation.rule_value) if by_pattern else str(violation.proto.message)


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields every text in a message or in a value of a field, with the path of its field."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Message):
        for field, inner in value.ListFields():
            yield from _texts(inner, f"{path}.{field.name}".removeprefix("."))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(key, path)
            yield from _texts(inner, f"{path}[{json.dumps(key)}]")
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{number}]")


def _path(violation: Any) -> str:
    """Returns `parent.list[2].map["key"].field` for a violation's field path."""
    path = ""
    for element in violation.field.elements if violation.field else ():
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            path += f"[{json.dumps(element.subscript.value)}]"
    return path
