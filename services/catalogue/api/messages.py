"""Small conversions that every RPC needs: names, dates, findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.type import date_pb2
from waymark.catalogue.v1 import finding_pb2
from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2

from services.catalogue.events import set_date
from services.platform.errors import Refusal, Violation, invalid
from services.platform.identity.principals import Principal


def last(name: str) -> str:
    """Returns the last part of a resource name."""
    return name.rsplit("/", 1)[-1]


def is_uuid(text: str) -> bool:
    """True for a UUID in the form that the database takes."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def last_uuid(name: str) -> str:
    """Returns the last part of a resource name; raises Refusal(NOT_FOUND) when it is no UUID."""
    if not is_uuid(last(name)):
        raise Refusal(reason_pb2.REASON_NOT_FOUND, "The resource name is not complete.")
    return last(name)


def part(name: str, index: int) -> str:
    """Returns the part of a resource name at `index`; raises Refusal(NOT_FOUND) for a shorter name."""
    parts = name.split("/")
    if len(parts) <= index:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, "The resource name is not complete.")
    return parts[index]


def required(message: Any, owner: str, *fields: str) -> None:
    """Raises Refusal(INVALID_ARGUMENT) naming every field that is empty."""
    missing = [field for field in fields if not getattr(message, field)]
    if missing:
        violations = [Violation(f"{owner}.{field}", "is required") for field in missing]
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=violations)


def day(message: date_pb2.Date, field: str) -> date:
    """Returns the date; raises Refusal(INVALID_ARGUMENT) when no such day exists."""
    try:
        return date(message.year, message.month, message.day)
    except ValueError:
        raise invalid(field, "is no existing day; year, month and day are all needed") from None


def day_or(request: Any, field: str, default: date) -> date:
    """Returns the date in a field, or `default` where it is unset."""
    return day(getattr(request, field), field) if request.HasField(field) else default


def optional_day(message: Any, field: str) -> date | None:
    """Returns the date in a field, None where it is unset."""
    return day(getattr(message, field), field) if message.HasField(field) else None


def put_date(message: date_pb2.Date, value: date | str | None) -> None:
    """Writes a date, or nothing for None."""
    if isinstance(value, str):
        set_date(message, value)
    elif value is not None:
        message.year, message.month, message.day = value.year, value.month, value.day


def mask(update_mask: FieldMask, allowed: Iterable[str]) -> list[str]:
    """Returns the paths; raises Refusal(INVALID_ARGUMENT) for one that cannot be changed, or for none."""
    allowed = list(allowed)
    wrong = [path for path in update_mask.paths if path not in allowed]
    if wrong or not update_mask.paths:
        raise invalid("update_mask", f"must name one or more of {', '.join(allowed)}")
    return list(dict.fromkeys(update_mask.paths))


def finding(row: Any) -> finding_pb2.Finding:
    """Returns the message for a row of findings."""
    return finding_pb2.Finding(
        code=row.code,
        severity=row.severity,
        record=row.record,
        line=row.line,
        path=row.path,
        value=row.value,
        message=row.message,
        remedy=row.remedy,
    )


def only_own(principal: Principal) -> str:
    """Returns the organisation id a list is cut down to: the caller's own, unless a role sees all ("")."""
    if principal.roles & {options_pb2.ROLE_CATALOGUE_MANAGER, options_pb2.ROLE_AUDITOR}:
        return ""
    return last(principal.organisation) or "-"


def sees_drafts(principal: Principal) -> bool:
    """True for the catalogue's own staff and auditors."""
    return bool(principal.roles & {options_pb2.ROLE_CATALOGUE_MANAGER, options_pb2.ROLE_AUDITOR})
