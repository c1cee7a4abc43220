"""Messages as JSON Schema 2020-12, in protobuf's JSON mapping, with the contract's validation rules as
limits.

A message that callers send and one that they receive differ: limits hold for what is sent, and a field that
only the service sets is absent from it. Hence two schemas, `vouchers.v1.Voucher` and
`vouchers.v1.Voucher.Input`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from buf.validate import validate_pb2
from google.api import field_behavior_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as F

from services.platform.edge.contract import Contract, Enum, Field, Message

_INTEGERS = {F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32, F.TYPE_UINT32, F.TYPE_FIXED32}
_LONGS = {F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64, F.TYPE_UINT64, F.TYPE_FIXED64}
_UNSIGNED = {F.TYPE_UINT32, F.TYPE_FIXED32}
_FORMATS = {"uuid": "uuid", "email": "email", "uri": "uri", "hostname": "hostname", "ipv4": "ipv4"}
# What the JSON mapping writes for well-known types.
WELL_KNOWN: dict[str, dict[str, Any]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {
        "type": "string",
        "description": "Field names in lowerCamelCase, by comma.",
    },
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
    },
    "google.protobuf.BoolValue": {"type": "boolean"},
    "google.protobuf.StringValue": {"type": "string"},
    "google.protobuf.BytesValue": {"type": "string", "contentEncoding": "base64"},
    "google.protobuf.Int32Value": {"type": "integer"},
    "google.protobuf.UInt32Value": {"type": "integer", "minimum": 0},
    "google.protobuf.Int64Value": {"type": "string", "pattern": "^-?[0-9]{1,19}$"},
    "google.protobuf.UInt64Value": {"type": "string", "pattern": "^[0-9]{1,20}$"},
    "google.protobuf.DoubleValue": {"type": "number"},
    "google.protobuf.FloatValue": {"type": "number"},
}


class Schemas:
    """Collects the component schemas that references lead to."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.components: dict[str, dict[str, Any]] = {}

    def reference(self, name: str, *, sent: bool) -> dict[str, Any]:
        """A schema for the message `name` (full name), as callers send it or as they receive it."""
        if name in WELL_KNOWN:
            return dict(WELL_KNOWN[name])
        key = name.removeprefix("waymark.") + (".Input" if sent else "")
        if key not in self.components:
            self.components[key] = {}  # holds the place, for messages that contain themselves
            self.components[key] = self.object(self.contract.messages[name], sent=sent)
        return {"$ref": f"#/components/schemas/{key}"}

    def object(self, message: Message, *, sent: bool, without: Iterable[str] = ()) -> dict[str, Any]:
        """The schema of a message, less the fields named in `without`."""
        fields = [
            field
            for field in message.fields
            if field.descriptor.name not in set(without) and not (sent and is_output_only(field))
        ]
        schema: dict[str, Any] = {"type": "object"}
        if message.comment:
            schema["description"] = message.comment
        if fields:
            schema["properties"] = {
                field.descriptor.json_name: self.field(field, sent=sent) for field in fields
            }
        required = sorted(field.descriptor.json_name for field in fields if sent and is_required(field))
        return schema | ({"required": required} if required else {})

    def field(self, field: Field, *, sent: bool) -> dict[str, Any]:
        """The schema of one field: array, map or single value."""
        rules = rules_of(field) if sent else validate_pb2.FieldRules()
        descriptor = field.descriptor
        entry = self.contract.messages.get(descriptor.type_name.lstrip("."))
        schema: dict[str, Any]
        if entry is not None and entry.descriptor.options.map_entry:
            schema = {"type": "object", "additionalProperties": self._map_value(entry, rules, sent=sent)}
            schema |= _sizes(rules.map, min_pairs="minProperties", max_pairs="maxProperties")
        elif descriptor.label == F.LABEL_REPEATED:
            schema = {"type": "array", "items": self.single(descriptor, rules.repeated.items, sent=sent)}
            schema |= _sizes(rules.repeated, min_items="minItems", max_items="maxItems")
            if rules.repeated.unique:
                schema["uniqueItems"] = True
        else:
            schema = self.single(descriptor, rules, sent=sent)
        return schema | ({"description": field.comment} if field.comment else {})

    def _map_value(self, entry: Message, rules: validate_pb2.FieldRules, *, sent: bool) -> dict[str, Any]:
        return self.single(entry.fields[1].descriptor, rules.map.values, sent=sent)

    def single(self, descriptor: F, rules: validate_pb2.FieldRules, *, sent: bool) -> dict[str, Any]:
        """The schema of one value of the field's type."""
        kind = descriptor.type
        if kind == F.TYPE_MESSAGE:
            return self.reference(descriptor.type_name.lstrip("."), sent=sent)
        if kind == F.TYPE_ENUM:
            return self._enum(self.contract.enums[descriptor.type_name.lstrip(".")], rules)
        if kind == F.TYPE_STRING:
            return {"type": "string", **_string_limits(rules.string)}
        if kind == F.TYPE_BYTES:
            limits = {}
            if rules.bytes.HasField("max_len"):
                limits["maxLength"] = 4 * math.ceil(rules.bytes.max_len / 3)
            return {"type": "string", "contentEncoding": "base64", **limits}
        if kind == F.TYPE_BOOL:
            return {"type": "boolean"}
        if kind in _LONGS:
            # JSON numbers lose precision beyond 2^53, so the mapping writes strings.
            return {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,20}$"}
        if kind in _INTEGERS:
            low = {"minimum": 0} if kind in _UNSIGNED else {}
            return {"type": "integer", "format": "int32", **low, **_number_limits(rules)}
        return {"type": "number", **_number_limits(rules)}

    @staticmethod
    def _enum(enum: Enum, rules: validate_pb2.FieldRules) -> dict[str, Any]:
        refused, allowed = set(rules.enum.not_in), set(getattr(rules.enum, "in"))
        names = [
            value.name
            for value in enum.descriptor.value
            if value.number not in refused and (not allowed or value.number in allowed)
        ]
        return {"type": "string", "enum": names}


def rules_of(field: Field) -> validate_pb2.FieldRules:
    """The validation rules of a field; empty when it has none, or when they spare the value left out."""
    rules: validate_pb2.FieldRules = field.descriptor.options.Extensions[validate_pb2.field]
    return rules


def is_output_only(field: Field) -> bool:
    """True when only the service sets the field."""
    return field_behavior_pb2.OUTPUT_ONLY in _behaviour(field)


def is_required(field: Field) -> bool:
    """True when a caller must set the field, by its behaviour or by its rules."""
    return field_behavior_pb2.REQUIRED in _behaviour(field) or rules_of(field).required


def _behaviour(field: Field) -> list[int]:
    return list(field.descriptor.options.Extensions[field_behavior_pb2.field_behavior])


def _string_limits(rules: validate_pb2.StringRules) -> dict[str, Any]:
    limits: dict[str, Any] = _sizes(rules, min_len="minLength", max_len="maxLength")
    if rules.HasField("len"):
        limits |= {"minLength": rules.len, "maxLength": rules.len}
    if rules.pattern:
        limits["pattern"] = rules.pattern.replace(r"\z", "$").replace(r"\A", "^")
    well_known = rules.WhichOneof("well_known")
    if well_known in _FORMATS:
        limits["format"] = _FORMATS[well_known]
    if values := list(getattr(rules, "in")):
        limits["enum"] = values
    return limits


def _number_limits(rules: validate_pb2.FieldRules) -> dict[str, Any]:
    kind = rules.WhichOneof("type")
    if kind not in ("int32", "uint32", "sint32", "fixed32", "sfixed32", "float", "double"):
        return {}
    names = {"gte": "minimum", "lte": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
    return _sizes(getattr(rules, kind), **names)


def _sizes(rules: Any, **names: str) -> dict[str, Any]:
    return {keyword: getattr(rules, name) for name, keyword in names.items() if rules.HasField(name)}
