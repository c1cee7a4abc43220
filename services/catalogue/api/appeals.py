"""AppealService: partners' appeals against holds, withdrawals and refusals."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.catalogue.v1 import appeal_pb2 as pb
from waymark.catalogue.v1 import appeal_pb2_grpc
from waymark.catalogue.v1.quality_hold_pb2 import QualityHold
from waymark.errors.v1 import reason_pb2

from services.catalogue import events
from services.catalogue.api.accreditations import restore
from services.catalogue.api.messages import last, only_own, part
from services.catalogue.api.quality_holds import lift
from services.catalogue.domain.appeal import State, check_decision
from services.catalogue.domain.closing import check_open
from services.catalogue.domain.partner_application import State as ApplicationState
from services.catalogue.store import appeals as store
from services.catalogue.store import organisations, partner_applications, quality_holds
from services.catalogue.store.quality_tables import appeals
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query

HOLDS, APPLICATIONS = "qualityHolds/", "partnerApplications/"


class AppealApi(appeal_pb2_grpc.AppealServiceServicer):
    """Appeals, and what follows from them."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def FileAppeal(self, tx: Transaction, request: pb.FileAppealRequest) -> pb.Appeal:
        subject = request.appeal.subject
        organisation, against = _decided_before(tx, subject)
        return _told(tx, store.add(tx, subject, organisation, against, request.appeal.reason))

    @query
    def ListAppeals(self, tx: Transaction, request: pb.ListAppealsRequest) -> pb.ListAppealsResponse:
        own, caller = only_own(tx.principal), tx.principal.subject
        found = page(
            tx,
            self.app.signer,
            store.listing(request.state, own, caller),
            order_by=[appeals.c.id],
            request=request,
            filters={"state": request.state, "own": own, "caller": caller if own else ""},
        )
        return pb.ListAppealsResponse(
            appeals=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DecideAppeal(self, tx: Transaction, request: pb.DecideAppealRequest) -> pb.Appeal:
        row = store.lock(tx, last(request.name))
        check_decision(row.state, row.against, row.filed_by, tx.principal.subject)
        if request.upheld:
            _undo(tx, row.subject)
        state = State.UPHELD if request.upheld else State.DISMISSED
        return _told(tx, store.decide(tx, row.id, state, request.finding))


def _decided_before(tx: Transaction, subject: str) -> tuple[str | None, str]:
    """Returns the organisation that a decision concerns, and who took it; raises Refusal: NOT_FOUND, or
    WRONG_STATE where nothing stands that could be appealed against."""
    if subject.startswith(HOLDS):
        hold = quality_holds.read(tx, last(subject))
        _check(hold.lift_time is None, "LIFTED", "OPEN")
        return hold.organisation_id, hold.placed_by
    if subject.startswith(APPLICATIONS):
        row = partner_applications.read(tx, last(subject))
        _check(row.state == ApplicationState.REFUSED, ApplicationState(row.state).name, "REFUSED")
        return None, row.decided_by
    organisation = part(subject, 1)
    check_open(organisations.read(tx.connection, organisation).close_time)
    row = organisations.read_accreditation(tx, organisation, last(subject))
    _check(row.withdraw_time is not None, "IN_FORCE", "WITHDRAWN")
    _check(row.valid_to >= tx.today, "EXPIRED", "WITHDRAWN")
    return organisation, row.withdrawn_by


def _check(stands: bool, state: str, needed: str) -> None:
    if not stands:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": needed})


def _undo(tx: Transaction, subject: str) -> None:
    """Undoes what an appeal is right about; of a hold or an application that ended meanwhile, nothing."""
    if subject.startswith(HOLDS):
        if quality_holds.read(tx, last(subject)).lift_time is None:
            lift(tx, last(subject), QualityHold.OUTCOME_UNFOUNDED)
    elif subject.startswith(APPLICATIONS):
        partner_applications.reopen(tx, last(subject))
    else:
        restore(tx, part(subject, 1), last(subject))


def _told(tx: Transaction, row: Row[Any]) -> pb.Appeal:
    tx.publish(events.appeal_changed(row))
    return _message(row)


def _message(row: Row[Any]) -> pb.Appeal:
    answer = pb.Appeal(
        name=f"appeals/{row.id}",
        subject=row.subject,
        reason=row.reason,
        organisation=f"organisations/{row.organisation_id}" if row.organisation_id else "",
        state=row.state,
        finding=row.finding,
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.decide_time is not None:
        answer.decide_time.FromDatetime(row.decide_time)
    return answer
