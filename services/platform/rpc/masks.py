"""Input resources: what a caller may not set is dropped, and an update changes the named fields only."""

from __future__ import annotations

from typing import Any, TypeVar

from google.api import field_behavior_pb2 as behavior
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation
from services.platform.rpc.interceptors.validation import violations_of

M = TypeVar("M", bound=Message)
FIXED = {behavior.OUTPUT_ONLY, behavior.IDENTIFIER, behavior.IMMUTABLE}


def without_outputs(message: M) -> M:
    """Returns a copy without the fields that only the service sets (AIP-203)."""
    copy = type(message)()
    copy.CopyFrom(message)
    for field in copy.DESCRIPTOR.fields:
        if _behaviors(field) & {behavior.OUTPUT_ONLY, behavior.IDENTIFIER}:
            copy.ClearField(field.name)
    return copy


def merged(current: M, change: M, mask: FieldMask, resource: str) -> M:
    """Returns `current` with the fields of `change` that `mask` names (AIP-134); no mask: those that are set.

    `resource` is the request's field that holds the change, for violations. Raises Refusal(INVALID_ARGUMENT)
    for unknown or fixed fields in the mask, and for a result that breaks the contract's rules.
    """
    paths = list(mask.paths) or [field.name for field, _ in change.ListFields() if not _fixed(field)]
    if paths == ["*"]:
        paths = [field.name for field in change.DESCRIPTOR.fields if not _fixed(field)]
    _check(change, paths)
    result = type(current)()
    result.CopyFrom(current)
    FieldMask(paths=paths).MergeMessage(
        change, result, replace_message_field=True, replace_repeated_field=True
    )
    if found := violations_of(result):
        violations = [Violation(f"{resource}.{each.field}".rstrip("."), each.description) for each in found]
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations)
    return result


def _check(change: Any, paths: list[str]) -> None:
    violations = []
    for path in paths:
        if not FieldMask(paths=[path]).IsValidForDescriptor(change.DESCRIPTOR):
            violations.append(Violation("update_mask", f"{path} is no field of {change.DESCRIPTOR.name}"))
        elif _fixed(change.DESCRIPTOR.fields_by_name[path.split(".")[0]]):
            violations.append(Violation("update_mask", f"{path} cannot be changed"))
    if violations:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations)


def _fixed(field: Any) -> bool:
    return field.name == "etag" or bool(_behaviors(field) & FIXED)


def _behaviors(field: Any) -> set[Any]:
    return set(field.GetOptions().Extensions[behavior.field_behavior])
