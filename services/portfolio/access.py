"""The rule of the access log: whoever is not the holder acts under a mandate, for the awarding body that a
case was handed in to, or on what the holder asks of the office by right, and is written down."""

from __future__ import annotations

from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import legal_hold_pb2, rights_request_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.requests import PATHWAY, holder_of, resource_of
from services.portfolio.store import access_records, mandates, validations, vault

# The office's work on rights and legal holds: for anybody, restricted or not, and on nothing else of them.
OF_THE_DESK = (
    legal_hold_pb2.CreateLegalHoldRequest,
    legal_hold_pb2.LiftLegalHoldRequest,
    legal_hold_pb2.ListLegalHoldsRequest,
    rights_request_pb2.CheckRightsRequestIdentityRequest,
    rights_request_pb2.DeliverRightsRequestRequest,
    rights_request_pb2.ExtendRightsRequestRequest,
    rights_request_pb2.GetRightsRequestRequest,
    rights_request_pb2.PrepareRightsRequestRequest,
    rights_request_pb2.RefuseRightsRequestRequest,
)


def log_access(tx: Transaction, request: Any) -> None:
    """Logs the call unless the holder makes it.

    Raises Refusal(NOT_FOUND) when no grant covers it, and PROCESSING_RESTRICTED where nobody else may look.
    """
    holder = holder_of(request) or tx.principal.subject  # a request that names nobody is about the caller
    if tx.principal.subject == holder:
        return
    grant = _grant(tx, holder, request)
    if grant is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    action = request.DESCRIPTOR.name.removesuffix("Request")
    access_records.write(tx, holder, action=action, resource=resource_of(request), grant=grant)


def refuse_own(tx: Transaction, holder: str) -> None:
    """Raises Refusal(SAME_PERSON) for somebody of the office who would work on their own rights."""
    if tx.principal.subject == holder:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)


def _grant(tx: Transaction, holder: str, request: Any) -> str | None:
    """Returns the name of what allows the call."""
    resource = resource_of(request)
    if isinstance(request, OF_THE_DESK):
        return resource
    grant = mandates.in_force(tx.connection, tx.principal, holder, PATHWAY)
    if grant is None:
        opened = validations.opened_to(tx.connection, tx.principal, resource)
        grant = opened.name if opened else None
    if grant is not None:
        vault.refuse_restricted(tx, holder)
    return grant
