"""The smallest request that an RPC's validation rules let through, made from the contract alone."""

from __future__ import annotations

import re._parser as parser  # type: ignore[import-not-found]  # the standard library's own, without stubs
import uuid
from typing import Any

import protovalidate
from buf.validate import validate_pb2
from google.api import field_behavior_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

_validator = protovalidate.Validator()


def smallest(method: MethodDescriptor) -> Message:
    """Returns a request with what is required set to the least that is valid; resources are of nobody."""
    request = message_factory.GetMessageClass(method.input_type)()
    fill(request)
    if "request_id" in method.input_type.fields_by_name:
        request.request_id = str(uuid.uuid4())  # type: ignore[attr-defined]
    return request


def violations(request: Message) -> list[str]:
    """What validation says of a request."""
    return [f"{_path(found)}: {found.proto.message}" for found in _validator.collect_violations(request)]


def _path(found: Any) -> str:
    return ".".join(element.field_name for element in found.proto.field.elements)


def fill(message: Message, depth: int = 0) -> None:
    for field in message.DESCRIPTOR.fields:
        options = field.GetOptions()
        rules = options.Extensions[validate_pb2.field]
        behaviour = options.Extensions[field_behavior_pb2.field_behavior]
        output_only = field_behavior_pb2.OUTPUT_ONLY in behaviour
        needed = rules.required or field_behavior_pb2.REQUIRED in behaviour or _least(rules)
        if needed and not output_only and depth < 4:
            _set(message, field, rules, depth)
    for choice in message.DESCRIPTOR.oneofs:
        if choice.GetOptions().Extensions[validate_pb2.oneof].required and not message.WhichOneof(
            choice.name
        ):
            _set(message, choice.fields[0], validate_pb2.FieldRules(), depth)


def _least(rules: validate_pb2.FieldRules) -> bool:
    """True when the value that an unset field has would break the rules."""
    if rules.ignore:
        return False
    kind = rules.WhichOneof("type")
    if kind == "string":
        string = rules.string
        return bool(string.min_len or string.pattern or string.len or string.WhichOneof("well_known"))
    if kind == "repeated":
        return bool(rules.repeated.min_items)
    if kind == "map":
        return bool(rules.map.min_pairs)
    if kind == "enum":
        return 0 in rules.enum.not_in
    return kind is not None


def _set(message: Any, field: Any, rules: validate_pb2.FieldRules, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key = _scalar(field.message_type.fields_by_name["key"], rules.map.keys)
        value = field.message_type.fields_by_name["value"]
        if value.message_type is None:
            getattr(message, field.name)[key] = _scalar(value, rules.map.values)
        else:
            fill(getattr(message, field.name)[key], depth + 1)
    elif field.is_repeated:
        for _ in range(max(1, rules.repeated.min_items)):
            if field.message_type is not None:
                fill(getattr(message, field.name).add(), depth + 1)
            else:
                getattr(message, field.name).append(_scalar(field, rules.repeated.items))
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        _known(inner)
        fill(inner, depth + 1)
    else:
        setattr(message, field.name, _scalar(field, rules))


def _known(message: Any) -> None:
    """Gives the well-known types a value that means something."""
    match message.DESCRIPTOR.full_name:
        case "google.type.Money":
            message.currency_code, message.units = "EUR", 1
        case "google.type.Date":
            message.year, message.month, message.day = 2026, 1, 1
        case "google.protobuf.Timestamp":
            message.seconds = 1_767_225_600
        case "google.protobuf.FieldMask":
            message.paths.append("display_name")


def _scalar(field: Any, rules: validate_pb2.FieldRules) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(rules.string)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"x" * max(1, rules.bytes.min_len)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    if field.type == FieldDescriptor.TYPE_ENUM:
        refused = {0, *rules.enum.not_in}
        return next(value.number for value in field.enum_type.values if value.number not in refused)
    kind = rules.WhichOneof("type")
    limits = getattr(rules, kind) if kind else None
    if limits is not None and limits.HasField("gte"):
        return limits.gte
    if limits is not None and limits.HasField("gt"):
        return limits.gt + 1
    return 1


def _text(rules: validate_pb2.StringRules) -> str:
    if values := list(getattr(rules, "in")):
        return str(values[0])
    if rules.pattern:
        made = _match(parser.parse(rules.pattern))
        return made + "a" * (rules.min_len - len(made))
    if rules.WhichOneof("well_known") == "uuid":
        return str(uuid.uuid4())
    if rules.WhichOneof("well_known") == "uri":
        return "https://example.org/a"
    return "a" * max(1, rules.min_len, rules.len)


def _match(parsed: Any) -> str:
    """A short text that a parsed pattern matches; covers what contracts use."""
    made = ""
    for kind, value in parsed:
        match str(kind):
            case "LITERAL":
                made += chr(value)
            case "NOT_LITERAL" | "ANY":
                made += "a"
            case "IN":
                made += _member(value)
            case "MAX_REPEAT":
                low, _, inner = value
                made += _match(inner) * low
            case "SUBPATTERN":
                made += _match(value[-1])
            case "BRANCH":
                made += _match(value[1][0])
            case "AT":
                pass
            case other:
                raise AssertionError(f"a pattern uses {other}, which no request was made from yet")
    return made


def _member(choices: Any) -> str:
    if str(choices[0][0]) == "NEGATE":
        return "a"
    kind, value = choices[0]
    match str(kind):
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return chr(value[0])
        case _:
            return "1"
