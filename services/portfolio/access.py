"""The rule of the access log: whoever is not the holder acts under a mandate, or for the awarding body that a
case was handed in to, and is written down."""

from __future__ import annotations

from typing import Any

from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.requests import holder_of, purposes_for, resource_of
from services.portfolio.store import access_records, mandates, validations


def log_access(tx: Transaction, request: Any) -> None:
    """Logs the call unless the holder makes it; raises Refusal(NOT_FOUND) when no grant covers it."""
    holder = holder_of(request) or tx.principal.subject  # a request that names nobody is about the caller
    if tx.principal.subject == holder:
        return
    grant = mandates.in_force(tx.connection, tx.principal, holder, purposes_for(request.DESCRIPTOR))
    if grant is None:
        opened = validations.opened_to(tx.connection, tx.principal, resource_of(request))
        grant = opened.name if opened else None
    if grant is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    action = request.DESCRIPTOR.name.removesuffix("Request")
    access_records.write(tx, holder, action=action, resource=resource_of(request), grant=grant)
