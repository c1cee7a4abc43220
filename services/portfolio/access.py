"""The rule of the access log: whoever is not the holder acts under a mandate, or for the awarding body that a
case was handed in to, and is written down; what is written on behalf of the holder is recorded besides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.questionnaire_pb2 import QuestionnairePart

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.portfolio.domain.dates import refuse
from services.portfolio.requests import ON_BEHALF, grant_for, holder_of, relationships_of, resource_of
from services.portfolio.store import access_records, on_behalf_records, validations


def log_access(tx: Transaction, request: Any) -> str:
    """Logs the call unless the holder makes it; returns the name of the grant that covers it, "" for theirs.

    Raises Refusal(NOT_FOUND) when none does, INVALID_ARGUMENT for a call that would take its record back.
    """
    holder = _holder(tx, request)
    if tx.principal.subject == holder:
        return ""
    if getattr(request, "validate_only", False):
        refuse([Violation("validate_only", "is for the holder alone")])
    grant = grant_for(tx, request, holder)
    if grant is None:
        opened = validations.opened_to(tx.connection, tx.principal, resource_of(request))
        grant = opened.name if opened else None
    if grant is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    access_records.write(tx, holder, action=_action(request), resource=resource_of(request), grant=grant)
    return grant


def record_on_behalf(tx: Transaction, request: Any, response: Any, grant: str) -> None:
    """Records for the holder what was written on their behalf under `grant`; of any other call nothing."""
    if grant and ON_BEHALF in relationships_of(request.DESCRIPTOR):
        written = resource_of(response) or resource_of(request)
        on_behalf_records.write(
            tx, _holder(tx, request), action=_action(request), resource=written, grant=grant
        )


def shown_to(tx: Transaction, holder: str, parts: Iterable[QuestionnairePart]) -> list[QuestionnairePart]:
    """Returns the parts of a questionnaire that the caller may know of: those of special categories, and
    whether somebody filled them, are nobody's business but the holder's."""
    return [part for part in parts if tx.principal.subject == holder or not part.special_category]


def require_readable(tx: Transaction, holder: str, *, special_category: bool) -> None:
    """Raises Refusal(NOT_FOUND) when the caller is not the holder and a part is of special categories: to a
    mandate for guidance there is no such part."""
    if special_category and tx.principal.subject != holder:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)


def _holder(tx: Transaction, request: Any) -> str:
    """A request that names nobody is about the caller."""
    return holder_of(request) or tx.principal.subject


def _action(request: Any) -> str:
    name: str = request.DESCRIPTOR.name
    return name.removesuffix("Request")
