"""PayableService: what was approved to be paid by the bank, beside redemptions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import payable_pb2 as pb
from waymark.vouchers.v1 import payable_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money import money
from services.vouchers.store import names, payables
from services.vouchers.store.settlement_tables import payables as table


class PayableApi(payable_pb2_grpc.PayableServiceServicer):
    """Tells what waits for the bank."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetPayable(self, tx: Transaction, request: pb.GetPayableRequest) -> pb.Payable:
        return _message(payables.get(tx, names.uuid_in(request.name, "payables")))

    @query
    def ListPayables(self, tx: Transaction, request: pb.ListPayablesRequest) -> pb.ListPayablesResponse:
        found = page(
            tx,
            self.app.signer,
            payables.listed(request.organisation, request.state),
            order_by=[table.c.id.desc()],
            request=request,
            filters={"organisation": request.organisation, "state": int(request.state)},
        )
        return pb.ListPayablesResponse(
            payables=map(_message, found.rows), next_page_token=found.next_page_token
        )


def _message(row: Row[Any]) -> pb.Payable:
    return pb.Payable(
        name=f"payables/{row.id}",
        subject=row.subject,
        organisation=row.organisation,
        amount=money(row.cents, row.currency),
        state=row.state,
        payout_batch=f"payoutBatches/{row.batch_id}" if row.batch_id else "",
        create_time=moment(row.created_at),
    )
