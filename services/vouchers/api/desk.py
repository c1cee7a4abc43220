"""ApplicationService: who has an application in hand, and its withdrawal."""

from __future__ import annotations

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
from services.vouchers.domain.states import ApplicationState, need
from services.vouchers.store import applications, inquiries, names


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
        need(ApplicationState(row.state), WAITING)
        need_no_part(row, assignee)
        if row.assignee not in ("", assignee) and not request.take_over:
            raise Refusal(reason_pb2.REASON_APPLICATION_ASSIGNED)
        if row.assignee != assignee:
            row = applications.change(tx, str(row.id), {"assignee": assignee})
        return application_message(row, self.app.notes)

    @mutation
    def WithdrawApplication(self, tx: Transaction, request: pb.WithdrawApplicationRequest) -> pb.Application:
        application = names.uuid_in(request.name, "applications")
        row = applications.lock(tx, application)
        check_etag(request.etag, row.version)
        need(ApplicationState(row.state), (ApplicationState.SUBMITTED,))
        inquiries.withdraw_open(tx, application)
        values = {"state": int(ApplicationState.WITHDRAWN), "answer_due": None}
        row = applications.change(tx, application, values)
        tx.publish(
            events_pb2.ApplicationWithdrawn(application=f"applications/{application}", learner=row.learner)
        )
        return application_message(row, self.app.notes)
