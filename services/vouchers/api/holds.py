"""HoldService."""

from __future__ import annotations

from datetime import UTC, datetime
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
from services.vouchers.desk import never_ones_own
from services.vouchers.domain.notes import Notes
from services.vouchers.store import holds, names, redemptions
from services.vouchers.store.quality_tables import holds as table


class HoldApi(hold_pb2_grpc.HoldServiceServicer):
    """Stops money that looks wrong."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def PlaceHold(self, tx: Transaction, request: pb.PlaceHoldRequest) -> pb.Hold:
        hold = request.hold
        ends = _end(hold, "hold.end_time", tx.now, "must be in the future")
        if not holds.known(tx, hold.target):
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        hold_id = new_id()
        values = {
            "id": hold_id,
            "target": hold.target,
            "sealed_reason": self.app.notes.seal(f"holds/{hold_id}", hold.reason),
            "ends_at": ends,
            "placed_by": tx.principal.subject,
        }
        placed = self._message(holds.add(tx, values))
        batches = holds.approved_batches(tx, hold.target)
        placed.payout_batches.extend(f"payoutBatches/{batch}" for batch in batches)
        return placed

    @mutation
    def RenewHold(self, tx: Transaction, request: pb.RenewHoldRequest) -> pb.Hold:
        hold = names.uuid_in(request.name, "holds")
        holds.wait_for_approvals(tx)
        row = holds.get(tx, hold)
        _need_standing(row)
        _need_no_sanction(row)
        if row.ends_at is None or row.ends_at <= tx.now:
            metadata = {"state": "ENDLESS" if row.ends_at is None else "ENDED", "needed": "an end to come"}
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
        ends = _end(request, "end_time", row.ends_at, "must be later than the end so far")
        reason = self.app.notes.seal(f"holds/{hold}/renewal", request.reason)
        return self._message(holds.renew(tx, hold, ends, reason))

    @mutation
    def ReleaseHold(self, tx: Transaction, request: pb.ReleaseHoldRequest) -> pb.Hold:
        hold = names.uuid_in(request.name, "holds")
        row = holds.get(tx, hold)
        _need_standing(row)
        if row.placed_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        if row.target.startswith("redemptions/"):
            never_ones_own(tx, redemptions.get(tx, names.last(row.target)).learner)
        _need_no_sanction(row)
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


def _end(said: Any, field: str, after: datetime, problem: str) -> datetime | None:
    """Returns when a hold is to end by itself; raises Refusal(INVALID_ARGUMENT) unless that is later than
    `after`."""
    if not said.HasField("end_time"):
        return None
    ends: datetime = said.end_time.ToDatetime(tzinfo=UTC)
    if ends <= after:
        violation = Violation(field, problem)
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    return ends


def _need_standing(row: Row[Any]) -> None:
    if row.released_at is not None:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "RELEASED", "needed": "STANDING"})


def _need_no_sanction(row: Row[Any]) -> None:
    if row.placed_by.startswith("sanctions/"):
        metadata = {"state": "SUSPENDED", "needed": "the sanction lifted"}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)


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
        renewal_count=row.renewals,
        renew_time=moment(row.renewed_at),
        renewal_reason=notes.open(f"{name}/renewal", row.sealed_renewal),
    )
