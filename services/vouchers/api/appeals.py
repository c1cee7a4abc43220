"""AppealService: refusals looked at again, by a second person."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import appeal_pb2 as pb
from waymark.vouchers.v1 import appeal_pb2_grpc, application_pb2, events_pb2

from services.platform.db.etags import check_etag
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation
from services.vouchers.api.application_messages import application_message
from services.vouchers.api.applications import grant_waiting, tell_decided
from services.vouchers.app import VouchersApp
from services.vouchers.desk import lock, need_decidable
from services.vouchers.domain.appeals import check_appeal
from services.vouchers.domain.states import ApplicationState as State
from services.vouchers.store import applications, inquiries, names, waiting_list

Outcome = application_pb2.Appeal


class AppealApi(appeal_pb2_grpc.AppealServiceServicer):
    """Takes and decides appeals."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def AppealApplication(
        self, tx: Transaction, request: pb.AppealApplicationRequest
    ) -> application_pb2.Application:
        application = names.uuid_in(request.name, "applications")
        row = applications.lock(tx, application)
        check_etag(request.etag, row.version)
        appealed = row.appealed_at is not None
        check_appeal(State(row.state), row.appeal_until, tx.today, appealed=appealed)
        applications.need_none_open(tx, row.learner, row.programme_id, row.session)
        if waits := waiting_list.standing_for(tx, row):
            raise Refusal(reason_pb2.REASON_ALREADY_WAITING, metadata={"entry": waits})
        name = f"applications/{application}"
        values = {
            "state": int(State.APPEALED),
            "appealed_at": tx.now,
            "sealed_grounds": self.app.notes.seal(f"{name}/grounds", request.grounds),
            "assignee": "",
        }
        row = applications.change(tx, application, values)
        tx.publish(events_pb2.ApplicationAppealed(application=name, learner=row.learner))
        return application_message(row, self.app.notes)

    @mutation
    def DecideAppeal(self, tx: Transaction, request: pb.DecideAppealRequest) -> application_pb2.Application:
        row = lock(tx, request.name)
        if row.decided_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        beside = need_decidable(tx, row, request.etag, State.APPEALED, tx.today)
        application = str(row.id)
        inquiries.withdraw_open(tx, application)
        said = {
            **beside,
            "sealed_appeal_note": self.app.notes.seal(f"applications/{application}/appeal", request.reason),
            "appeal_decided_by": tx.principal.subject,
            "appeal_decided_at": tx.now,
        }
        if request.grant:
            applications.keep_earlier(tx, application)
            granted = {"appeal_outcome": Outcome.OUTCOME_GRANTED, "decided_at": tx.now}
            row = grant_waiting(self.app, tx, row, {**said, **granted})
        else:
            refused = {"appeal_outcome": Outcome.OUTCOME_REFUSED, "state": int(State.REFUSED)}
            row = applications.change(tx, application, {**said, **refused})
        tell_decided(tx, row)
        return application_message(row, self.app.notes)
