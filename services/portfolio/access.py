"""The rule of the access log: whoever is not the holder acts under a mandate, or for the awarding body that a
case was handed in to, and is written down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.questionnaire_pb2 import QuestionnairePart

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.requests import holder_of, purposes_of, resource_of
from services.portfolio.store import access_records, mandates, validations


def log_access(tx: Transaction, request: Any) -> None:
    """Logs the call unless the holder makes it; raises Refusal(NOT_FOUND) when no grant covers it."""
    holder = holder_of(request) or tx.principal.subject  # a request that names nobody is about the caller
    if tx.principal.subject == holder:
        return
    grant = mandates.in_force(tx.connection, tx.principal, holder, purposes_of(request))
    if grant is None:
        opened = validations.opened_to(tx.connection, tx.principal, resource_of(request))
        grant = opened.name if opened else None
    if grant is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    action = request.DESCRIPTOR.name.removesuffix("Request")
    access_records.write(tx, holder, action=action, resource=resource_of(request), grant=grant)


def shown_to(tx: Transaction, holder: str, parts: Iterable[QuestionnairePart]) -> list[QuestionnairePart]:
    """Returns the parts of a questionnaire that the caller may know of: those of special categories, and
    whether somebody filled them, are nobody's business but the holder's."""
    return [part for part in parts if tx.principal.subject == holder or not part.special_category]


def require_readable(tx: Transaction, holder: str, *, special_category: bool) -> None:
    """Raises Refusal(NOT_FOUND) when the caller is not the holder and a part is of special categories: to a
    mandate for guidance there is no such part."""
    if special_category and tx.principal.subject != holder:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
