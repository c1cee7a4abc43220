"""HoldService."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import hold_pb2 as pb
from waymark.vouchers.v1 import hold_pb2_grpc

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.notes import Notes
from services.vouchers.store import holds, names
from services.vouchers.store.quality_tables import holds as table


class HoldApi(hold_pb2_grpc.HoldServiceServicer):
    """Stops money that looks wrong."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def PlaceHold(self, tx: Transaction, request: pb.PlaceHoldRequest) -> pb.Hold:
        hold = request.hold
        ends = None
        if hold.HasField("end_time"):
            ends = hold.end_time.ToDatetime(tzinfo=tx.now.tzinfo)
            if ends <= tx.now:
                violation = Violation("hold.end_time", "must be in the future")
                raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        hold_id = new_id()
        values = {
            "id": hold_id,
            "target": hold.target,
            "sealed_reason": self.app.notes.seal(f"holds/{hold_id}", hold.reason),
            "ends_at": ends,
            "placed_by": tx.principal.subject,
        }
        return self._message(holds.add(tx, values))

    @mutation
    def ReleaseHold(self, tx: Transaction, request: pb.ReleaseHoldRequest) -> pb.Hold:
        hold = names.uuid_in(request.name, "holds")
        row = holds.get(tx, hold)
        if row.released_at is not None:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "RELEASED", "needed": "STANDING"})
        if row.placed_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        if row.placed_by.startswith("sanctions/"):
            metadata = {"state": "SUSPENDED", "needed": "an appeal that lifts the sanction"}
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
        if row.alert_id is not None and not row.verified_by:
            metadata = {"alert": f"alerts/{row.alert_id}"}
            raise Refusal(reason_pb2.REASON_FINDING_NEEDED, metadata=metadata)
        finding = self.app.notes.seal(f"holds/{hold}/finding", request.finding)
        return self._message(holds.release(tx, hold, finding))

    @query
    def ListHolds(self, tx: Transaction, request: pb.ListHoldsRequest) -> pb.ListHoldsResponse:
        found = page(
            tx,
            self.app.signer,
            holds.listed(tx.now, ended=request.show_ended),
            order_by=[table.c.id.desc()],
            request=request,
            filters={"show_ended": request.show_ended},
        )
        return pb.ListHoldsResponse(
            holds=map(self._message, found.rows), next_page_token=found.next_page_token
        )

    def _message(self, row: Row[Any]) -> pb.Hold:
        return hold_message(row, self.app.notes)


def hold_message(row: Row[Any], notes: Notes) -> pb.Hold:
    """Returns a row as message."""
    name = f"holds/{row.id}"
    return pb.Hold(
        name=name,
        target=row.target,
        reason=notes.open(name, row.sealed_reason),
        end_time=moment(row.ends_at),
        released=row.released_at is not None,
        finding=notes.open(f"{name}/finding", row.sealed_finding),
        create_time=moment(row.created_at),
        alert=f"alerts/{row.alert_id}" if row.alert_id else "",
    )
