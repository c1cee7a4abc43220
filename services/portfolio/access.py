"""The rule of the access log: whoever is not the holder acts under a mandate, for the awarding body that a
case was handed in to, as a mentor or as who pages were handed in to, and is written down."""

from __future__ import annotations

from typing import Any

from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.requests import PATHWAY, holder_of, resource_of
from services.portfolio.store import (
    access_records,
    mandates,
    mentoring_matches,
    page_submissions,
    validations,
)


def log_access(tx: Transaction, request: Any) -> None:
    """Logs the call unless the holder makes it; raises Refusal(NOT_FOUND) when no grant covers it."""
    holder = holder_of(request) or tx.principal.subject  # a request that names nobody is about the caller
    if tx.principal.subject == holder:
        return
    grant = _grant(tx, holder, resource_of(request))
    if grant is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    action = request.DESCRIPTOR.name.removesuffix("Request")
    access_records.write(tx, holder, action=action, resource=resource_of(request), grant=grant)


def _grant(tx: Transaction, holder: str, resource: str) -> str | None:
    """Returns the name of what opens the resource to the caller, or None."""
    mandate = mandates.in_force(tx.connection, tx.principal, holder, PATHWAY)
    if mandate:
        return mandate
    opens = (validations.opened_to, mentoring_matches.reaches, page_submissions.opened_to)
    # Each looks at names of its own only, so that there is one question to the database at most.
    return resource if any(each(tx.connection, tx.principal, resource) for each in opens) else None
