"""The rule of the access log: whoever is not the holder acts under a mandate, for the awarding body that a
case was handed in to, without leave for what cannot wait, or on what the holder asks of the office by right.
They are written down, and look at so many people a day."""

from __future__ import annotations

from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import break_glass_pb2, legal_hold_pb2, rights_request_pb2
from waymark.portfolio.v1.events_pb2 import ReadQuotaReached

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.requests import PATHWAY, holder_of, resource_of
from services.portfolio.store import access_records, break_glass, mandates, read_quota, validations, vault

# The office's work on rights, legal holds and looks without leave: for anybody, and on nothing else of them.
OF_THE_DESK = (
    break_glass_pb2.CreateBreakGlassAccessRequest,
    break_glass_pb2.EndBreakGlassAccessRequest,
    break_glass_pb2.GetBreakGlassAccessRequest,
    break_glass_pb2.ReviewBreakGlassAccessRequest,
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


def log_access(tx: Transaction, request: Any, daily_people: int) -> None:
    """Logs the call unless the holder makes it.

    Raises Refusal(NOT_FOUND) when no grant covers it, PROCESSING_RESTRICTED where nobody else may look, and
    READ_QUOTA_EXCEEDED when the caller has looked at `daily_people` others today.
    """
    holder = holder_of(request) or tx.principal.subject  # a request that names nobody is about the caller
    if tx.principal.subject == holder:
        return
    grant = _grant(tx, holder, request)
    if grant is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    _count(tx, holder, daily_people)
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
        grant = opened.name if opened else break_glass.in_force(tx.connection, tx.principal, holder)
    if grant is not None:
        vault.refuse_restricted(tx, holder)
    return grant


def _count(tx: Transaction, holder: str, most: int) -> None:
    """Counts the people whom the caller looks at today; the last one allowed raises the alarm, because what
    is refused leaves nothing behind."""
    people = read_quota.count(tx, holder)
    if people is None or people < most:
        return
    if people > most:
        raise Refusal(reason_pb2.REASON_READ_QUOTA_EXCEEDED, metadata={"limit": str(most)})
    reader = tx.principal
    tx.publish(ReadQuotaReached(reader=reader.subject, organisation=reader.organisation, people=people))
