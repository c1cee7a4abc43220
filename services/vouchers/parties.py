"""Relationships of employers and observers to the instruments that concern them."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection, text

from services.platform.identity.principals import Principal

_EMPLOYERS = {
    "levyAccounts": text("SELECT employer FROM levy_accounts WHERE id = :id"),
    "employerObligations": text("SELECT employer FROM employer_obligations WHERE id = :id"),
}
_OBSERVED = text("SELECT 1 FROM outcome_contracts WHERE id = :id AND :subject = ANY (observers)")


def is_observer(principal: Principal, request: Any, connection: Connection) -> bool:
    """The outcome contract that the request names has the caller among its observers."""
    named = request.name if "name" in request.DESCRIPTOR.fields_by_name else request.parent
    values = {"id": named.split("/")[1], "subject": principal.subject}
    return connection.execute(_OBSERVED, values).scalar() is not None


def is_employer(principal: Principal, request: Any, connection: Connection) -> bool:
    """The request is about the caller's own organisation as an employer, by its name or by what is its."""
    fields = request.DESCRIPTOR.fields_by_name
    if "employer" in fields:
        employer = request.employer
    else:
        employer = _owner(connection, request.name if "name" in fields else request.parent)
    return bool(principal.organisation) and employer == principal.organisation


def _owner(connection: Connection, name: str) -> str:
    collection, key = name.split("/")[:2]
    try:
        values = {"id": str(uuid.UUID(key))}
    except ValueError:
        return ""
    return connection.execute(_EMPLOYERS[collection], values).scalar() or ""
