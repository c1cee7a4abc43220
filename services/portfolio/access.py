"""The rule of the access log: whoever is not the holder acts under a mandate, for the awarding body that a
case was handed in to, as a mentor or as who pages were handed in to, without leave for what cannot wait, or
on what the holder asks of the office by right. They are written down, and look at so many people a day; what
is written on behalf of the holder is recorded besides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import break_glass_pb2, legal_hold_pb2, rights_request_pb2
from waymark.portfolio.v1.events_pb2 import ReadQuotaReached
from waymark.portfolio.v1.questionnaire_pb2 import QuestionnairePart

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.portfolio.domain.dates import refuse
from services.portfolio.requests import (
    BREAK_GLASS,
    ON_BEHALF,
    grant_for,
    holder_of,
    relationships_of,
    resource_of,
)
from services.portfolio.store import (
    access_records,
    break_glass,
    mandates,
    mentoring_matches,
    on_behalf_records,
    page_submissions,
    read_quota,
    validations,
    vault,
)

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


def log_access(tx: Transaction, request: Any, daily_people: int) -> str:
    """Logs the call unless the holder makes it; returns the name of the grant that covers it, "" for theirs.

    Raises Refusal(NOT_FOUND) when none does, INVALID_ARGUMENT for a call that would take its record back,
    PROCESSING_RESTRICTED where nobody else may look, and READ_QUOTA_EXCEEDED when the caller has looked at
    `daily_people` others today.
    """
    holder = _holder(tx, request)
    if tx.principal.subject == holder:
        return ""
    if getattr(request, "validate_only", False):
        refuse([Violation("validate_only", "is for the holder alone")])
    grant = _grant(tx, holder, request)
    if grant is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    _count(tx, holder, daily_people)
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


def refuse_own(tx: Transaction, holder: str) -> None:
    """Raises Refusal(SAME_PERSON) for somebody of the office who would work on their own rights."""
    if tx.principal.subject == holder:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)


def _grant(tx: Transaction, holder: str, request: Any) -> str | None:
    """Returns the name of what allows the call."""
    resource = resource_of(request)
    if isinstance(request, OF_THE_DESK):
        return resource
    held = grant_for(tx, request, holder)
    grant = _opened(tx, resource) if held is None else held.name
    if grant is None and BREAK_GLASS in relationships_of(request.DESCRIPTOR):
        grant = break_glass.in_force(tx.connection, tx.principal, holder)
    if grant is not None:
        vault.refuse_restricted(tx, holder)
    if held is not None:
        mandates.use(tx, held)
    return grant


def _opened(tx: Transaction, resource: str) -> str | None:
    """Returns the resource itself where it is open to the caller, else None."""
    # Each looks at names of its own only, so that there is one question to the database at most.
    opens = (validations.opened_to, mentoring_matches.reaches, page_submissions.opened_to)
    return resource if any(each(tx.connection, tx.principal, resource) for each in opens) else None


def _count(tx: Transaction, holder: str, most: int) -> None:
    """Counts the people whom the caller looks at today; the last one allowed raises the alarm, because what
    is refused leaves nothing behind."""
    people = read_quota.count(tx, holder)
    if people is None or people < most:
        return
    if people > most:
        raise Refusal(reason_pb2.REASON_READ_QUOTA_EXCEEDED, metadata={"limit": str(most)})
    read_quota.alarm(tx, people)
    reader = tx.principal
    tx.publish(ReadQuotaReached(reader=reader.subject, organisation=reader.organisation, people=people))


def _holder(tx: Transaction, request: Any) -> str:
    """A request that names nobody is about the caller."""
    return holder_of(request) or tx.principal.subject


def _action(request: Any) -> str:
    name: str = request.DESCRIPTOR.name
    return name.removesuffix("Request")
