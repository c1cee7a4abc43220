"""ComplaintService: what learners say went wrong."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import complaint_pb2 as pb
from waymark.vouchers.v1 import complaint_pb2_grpc

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.monitoring import Hit
from services.vouchers.domain.redemption import need_whole
from services.vouchers.monitoring import raise_by_rule, rules_in_force
from services.vouchers.store import complaints, monitoring, names, redemptions
from services.vouchers.store.quality_tables import complaints as table


class ComplaintApi(complaint_pb2_grpc.ComplaintServiceServicer):
    """Takes complaints, and lets the rules that wait for them look."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def FileComplaint(self, tx: Transaction, request: pb.FileComplaintRequest) -> pb.Complaint:
        about = redemptions.get(tx, names.uuid_in(request.parent, "redemptions"))
        need_whole(about.part_of)
        complaint, kind = new_id(), request.complaint.kind
        values = {
            "id": complaint,
            "redemption_id": about.id,
            "learner": about.learner,
            "organisation": about.organisation,
            "course": about.course,
            "kind": kind,
            "sealed_note": self.app.notes.seal(f"complaints/{complaint}", request.complaint.note),
        }
        row = complaints.add(tx, values)
        if row is None:
            metadata = {"complaint": f"complaints/{complaints.same(tx, about.id, kind)}"}
            raise Refusal(reason_pb2.REASON_COMPLAINT_EXISTS, metadata=metadata)
        self._alert(tx, about)
        return self._message(row)

    def _alert(self, tx: Transaction, about: Row[Any]) -> None:
        """Raises the alerts of rules for which there are enough complaints now."""
        for rule in rules_in_force(self.app, tx):
            if rule.kind != "complaint" or not rule.concerns(about.programme_id):
                continue
            monitoring.lock_rule(tx, rule.code)  # of two filed at once the second counts both
            condition = rule.message.complaint
            target = rule.target(f"redemptions/{about.id}", about.course, about.organisation)
            count = complaints.count_since(tx, target, condition.within_days)
            if count >= condition.count:
                raise_by_rule(self.app, tx, rule, about, Hit(count, condition.count))

    @query
    def GetComplaint(self, tx: Transaction, request: pb.GetComplaintRequest) -> pb.Complaint:
        return self._message(complaints.get(tx, names.uuid_in(request.name, "complaints")))

    @query
    def ListComplaints(self, tx: Transaction, request: pb.ListComplaintsRequest) -> pb.ListComplaintsResponse:
        found = page(
            tx,
            self.app.signer,
            complaints.listed(request.learner, request.organisation),
            order_by=[table.c.id.desc()],
            request=request,
            filters={"learner": request.learner, "organisation": request.organisation},
        )
        return pb.ListComplaintsResponse(
            complaints=[self._message(row) for row in found.rows], next_page_token=found.next_page_token
        )

    def _message(self, row: Row[Any]) -> pb.Complaint:
        name = f"complaints/{row.id}"
        return pb.Complaint(
            name=name,
            redemption=f"redemptions/{row.redemption_id}",
            organisation=row.organisation,
            course=row.course,
            kind=row.kind,
            note=self.app.notes.open(name, row.sealed_note),
            create_time=moment(row.created_at),
        )
