"""RebookingService: another course for learners of a delisted provider."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import rebooking_pb2 as pb
from waymark.vouchers.v1 import rebooking_pb2_grpc, redemption_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.api.reservation import reserve
from services.vouchers.app import VouchersApp
from services.vouchers.rebooking import give_back
from services.vouchers.store import names, rebookings, redemptions


class RebookingApi(rebooking_pb2_grpc.RebookingServiceServicer):
    """Offers learners of delisted providers another course."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetRebooking(self, tx: Transaction, request: pb.GetRebookingRequest) -> pb.Rebooking:
        return _message(rebookings.get(tx, names.uuid_above(request.name, "redemptions")))

    @mutation
    def AcceptRebooking(self, tx: Transaction, request: pb.AcceptRebookingRequest) -> pb.Rebooking:
        row, offer = self._open(tx, request.name)
        if request.session not in offer.sessions:
            raise Refusal(reason_pb2.REASON_REBOOKING_NOT_OFFERED)
        give_back(tx, row)
        wanted = redemption_pb2.ReserveRedemptionRequest(
            voucher=f"vouchers/{row.voucher_id}", session=request.session
        )
        reserved = reserve(self.app, tx, wanted, rebooked=True)
        new = names.uuid_in(reserved.name, "redemptions")
        return _message(rebookings.change(tx, str(row.id), rebookings.ACCEPTED, new))

    @mutation
    def DeclineRebooking(self, tx: Transaction, request: pb.DeclineRebookingRequest) -> pb.Rebooking:
        row, _ = self._open(tx, request.name)
        give_back(tx, row)
        return _message(rebookings.change(tx, str(row.id), rebookings.DECLINED))

    def _open(self, tx: Transaction, name: str) -> tuple[Any, Row[Any]]:
        """Locks redemption and offer; raises Refusal: NOT_FOUND, WRONG_STATE when it cannot be taken."""
        row = redemptions.lock_with_money(tx, names.uuid_above(name, "redemptions"))
        offer = rebookings.get(tx, str(row.id), locked=True)
        if offer.state != rebookings.OFFERED or offer.expires_at <= tx.now:
            over = offer.state == rebookings.OFFERED
            state = "EXPIRED" if over else pb.Rebooking.State.Name(offer.state).removeprefix("STATE_")
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": "OFFERED"})
        return row, offer


def _message(row: Row[Any]) -> pb.Rebooking:
    return pb.Rebooking(
        name=f"redemptions/{row.redemption_id}/rebooking",
        state=row.state,
        sessions=row.sessions,
        new_redemption=f"redemptions/{row.new_redemption_id}" if row.new_redemption_id else "",
        expire_time=moment(row.expires_at) if row.sessions else None,
        create_time=moment(row.created_at),
    )
