"""Holds the request against the `buf.validate` rules of its contract."""

from __future__ import annotations

import json
from typing import Any

import protovalidate
from google.protobuf.message import Message
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation

_validator = protovalidate.Validator()


def validation(request: Message) -> None:
    """Raises Refusal(INVALID_ARGUMENT) naming every field that breaks a rule."""
    if violations := violations_of(request):
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations)


def violations_of(message: Message) -> list[Violation]:
    """Returns every breach of a rule, with the path of its field."""
    found = _validator.collect_violations(message)
    return [Violation(_path(each.proto), each.proto.message) for each in found]


def _path(violation: Any) -> str:
    """Returns `parent.list[2].map["key"].field` for a violation's field path."""
    path = ""
    for element in violation.field.elements if violation.field else ():
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            path += f"[{json.dumps(element.subscript.value)}]"
    return path
