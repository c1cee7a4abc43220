"""ApplicationService: who has an application in hand, and its withdrawal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import application_pb2 as pb
from waymark.vouchers.v1 import events_pb2

from services.platform.db.etags import check_etag
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation
from services.vouchers.api.application_messages import application_message
from services.vouchers.app import VouchersApp
from services.vouchers.desk import WAITING, lock, need_no_part, supervises
from services.vouchers.domain.draw import OpeningState
from services.vouchers.domain.states import ApplicationState as State
from services.vouchers.domain.states import need
from services.vouchers.store import applications, inquiries, names, openings


class DeskMethods:
    """The part of ApplicationService about the desk."""

    app: VouchersApp

    @mutation
    def AssignApplication(self, tx: Transaction, request: pb.AssignApplicationRequest) -> pb.Application:
        caller = tx.principal.subject
        assignee = request.assignee or caller
        if assignee != caller and not supervises(tx.principal):
            raise Refusal(reason_pb2.REASON_PERMISSION_DENIED)
        row = lock(tx, request.name)
        check_etag(request.etag, row.version)
        need(State(row.state), WAITING)
        need_no_part(row, assignee)
        if row.assignee not in ("", assignee) and not request.take_over:
            raise Refusal(reason_pb2.REASON_APPLICATION_ASSIGNED)
        if row.assignee != assignee:
            row = applications.change(tx, str(row.id), {"assignee": assignee})
        return application_message(row, self.app.notes)

    @mutation
    def WithdrawApplication(self, tx: Transaction, request: pb.WithdrawApplicationRequest) -> pb.Application:
        application = names.uuid_in(request.name, "applications")
        # The opening is locked before the learner, as when one applies.
        opening = openings.standing(tx, applications.get(tx, application).programme_id)
        row = applications.lock(tx, application)
        check_etag(request.etag, row.version)
        state = State(row.state)
        need(state, (State.SUBMITTED, State.IN_DRAW, State.APPEALED))
        if state is State.IN_DRAW:
            need(OpeningState(opening.state if opening else OpeningState.DONE), (OpeningState.ANNOUNCED,))
            openings.leave(tx, application)
        inquiries.withdraw_open(tx, application)
        row = applications.change(tx, application, {**_withdrawn(state, tx.now), "answer_due": None})
        event = events_pb2.ApplicationWithdrawn(
            application=f"applications/{application}",
            learner=row.learner,
            appeal_only=state is State.APPEALED,
        )
        tx.publish(event)
        return application_message(row, self.app.notes)


def _withdrawn(state: State, now: datetime) -> dict[str, Any]:
    """Returns what to write: an appeal that is taken back leaves the refusal as it was."""
    if state is State.APPEALED:
        outcome = int(pb.Appeal.OUTCOME_WITHDRAWN)
        return {"state": int(State.REFUSED), "appeal_outcome": outcome, "appeal_decided_at": now}
    return {"state": int(State.WITHDRAWN), "left_draw": state is State.IN_DRAW}
