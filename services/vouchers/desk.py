"""Who at the desk may do what with an application: one at a time, and never with one's own; nor with what
else is one's own as a learner."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2

from services.platform.db.etags import check_etag
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from services.vouchers.domain.states import ApplicationState, need
from services.vouchers.relationships import learner_of
from services.vouchers.store import applications, names

WAITING = (ApplicationState.SUBMITTED, ApplicationState.APPEALED)


def lock(tx: Transaction, name: str) -> Row[Any]:
    """Returns the row of `applications/{id}`, locked for staff, after its learner's lock.

    Raises Refusal: NOT_FOUND, SAME_PERSON for one's own.
    """
    row = applications.lock(tx, names.uuid_in(name, "applications"))
    never_ones_own(tx, row.learner)
    return row


def never_ones_own(tx: Transaction, learner: str) -> None:
    """Raises Refusal(SAME_PERSON) when staff acts on what is their own as a learner."""
    if learner == learner_of(tx.principal):
        raise Refusal(reason_pb2.REASON_SAME_PERSON)


def taken_in_hand(tx: Transaction, row: Row[Any]) -> dict[str, Any]:
    """Returns what to write so that the caller has the application in hand, where nobody had it.

    Raises Refusal: APPLICATION_ASSIGNED when another has it and the caller is no supervisor, SAME_PERSON for
    who decided first what is appealed now.
    """
    if not row.assignee:
        need_no_part(row, tx.principal.subject)
        return {"assignee": tx.principal.subject}
    if row.assignee != tx.principal.subject and not supervises(tx.principal):
        raise Refusal(reason_pb2.REASON_APPLICATION_ASSIGNED)
    return {}


def need_no_part(row: Row[Any], subject: str) -> None:
    """Raises Refusal(SAME_PERSON) for who must not have an application in hand: the applicant, and who
    decided first what is appealed now."""
    decided_first = row.decided_by == subject and row.state == ApplicationState.APPEALED
    if row.learner == f"learners/{subject}" or decided_first:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)


def need_decidable(
    tx: Transaction, row: Row[Any], etag: str, state: ApplicationState, today: date
) -> dict[str, Any]:
    """Returns what to write beside a decision by the caller.

    Raises Refusal: ETAG_STALE, WRONG_STATE unless it is in `state`, APPLICATION_ASSIGNED, and INQUIRY_OPEN
    while the applicant has time to answer.
    """
    check_etag(etag, row.version)
    need(ApplicationState(row.state), (state,))
    taken = taken_in_hand(tx, row)
    if row.answer_due is not None and row.answer_due >= today:
        raise Refusal(reason_pb2.REASON_INQUIRY_OPEN, metadata={"due_date": row.answer_due.isoformat()})
    return {**taken, "answer_due": None}


def supervises(principal: Principal) -> bool:
    """True when the caller leads the desk."""
    return options_pb2.ROLE_SUPERVISOR in principal.roles
