"""QualityHoldService: what is held back until its quality is verified."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.catalogue.v1 import quality_hold_pb2 as pb
from waymark.catalogue.v1 import quality_hold_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue import events
from services.catalogue.api.accreditations import announce
from services.catalogue.api.messages import last, only_own
from services.catalogue.store import courses, organisations
from services.catalogue.store import quality_holds as store
from services.catalogue.store.quality_tables import quality_holds
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query

TOLD_AT_ONCE = 500  # courses that are counted up by one transaction


class QualityHoldApi(quality_hold_pb2_grpc.QualityHoldServiceServicer):
    """Holds on courses and organisations."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def PlaceQualityHold(self, tx: Transaction, request: pb.PlaceQualityHoldRequest) -> pb.QualityHold:
        sent = request.quality_hold
        row = store.add(tx, sent.subject, _locked(tx, sent.subject), sent.reason)
        _announce(tx, row)
        return _message(row)

    @mutation
    def LiftQualityHold(self, tx: Transaction, request: pb.LiftQualityHoldRequest) -> pb.QualityHold:
        return _message(lift(tx, last(request.name), request.outcome))

    @query
    def ListQualityHolds(
        self, tx: Transaction, request: pb.ListQualityHoldsRequest
    ) -> pb.ListQualityHoldsResponse:
        own = only_own(tx.principal)
        found = page(
            tx,
            self.app.signer,
            store.listing(own, open_only=request.open_only),
            order_by=[quality_holds.c.id.desc()],
            request=request,
            filters={"own": own, "open": request.open_only},
        )
        return pb.ListQualityHoldsResponse(
            quality_holds=map(_message, found.rows), next_page_token=found.next_page_token
        )


def lift(tx: Transaction, hold: str, outcome: int) -> Row[Any]:
    """Lifts a hold in the caller's name; returns its row.

    Raises Refusal: NOT_FOUND, WRONG_STATE, SAME_PERSON.
    """
    _locked(tx, store.read(tx, hold).subject)  # in the order of placing: what is held, then the hold
    row = store.read(tx, hold, lock=True)
    if row.lift_time is not None:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "LIFTED", "needed": "OPEN"})
    if row.placed_by == tx.principal.subject:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)
    row = store.lift(tx, row, outcome)
    _announce(tx, row)
    return row


def tell_followers(app: App) -> None:
    """Counts up the courses of organisations that are held back or let go, so that who follows changes of
    courses hears of it; a job."""
    while tell_next(app):
        pass


def tell_next(app: App) -> bool:
    """Does so with TOLD_AT_ONCE of them; returns whether there were any to tell of."""
    with transaction(app) as tx:
        hold = store.to_tell(tx)
        if hold is None:
            return False
        told = courses.touch_next(tx, hold.organisation_id, hold.tell_after, TOLD_AT_ONCE)
        store.told(tx, hold.id, told[-1] if len(told) == TOLD_AT_ONCE else None)
    return True


def _locked(tx: Transaction, subject: str) -> str:
    """Locks what is to be held or let go, so that what others publish of it waits; returns the id of its
    organisation. Raises Refusal(NOT_FOUND)."""
    if subject.startswith("courses/"):
        return str(courses.read(tx.connection, last(subject), lock=True).organisation_id)
    return str(organisations.read(tx.connection, last(subject), lock=True).id)


def _announce(tx: Transaction, hold: Row[Any]) -> None:
    """Tells others of a hold, and what can be booked from now on."""
    tx.publish(events.quality_hold_changed(hold))
    if hold.subject.startswith("organisations/"):
        announce(tx, hold.organisation_id)
        return
    row = courses.touch(tx, last(hold.subject))
    told = row.version, row.organisation_id, row.document
    removed, held = row.removed_time is not None, hold.lift_time is None
    tx.publish(events.course_changed(row.id, *told, removed=removed, held=held))


def _message(row: Row[Any]) -> pb.QualityHold:
    answer = pb.QualityHold(
        name=f"qualityHolds/{row.id}",
        subject=row.subject,
        reason=row.reason,
        organisation=f"organisations/{row.organisation_id}",
        outcome=row.outcome,
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.lift_time is not None:
        answer.lift_time.FromDatetime(row.lift_time)
    return answer
