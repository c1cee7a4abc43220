"""PaymentShareService: who bears a payment, and what a source bears."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import payment_share_pb2 as pb
from waymark.vouchers.v1 import payment_share_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import query
from services.vouchers.api.convert import date_of, moment
from services.vouchers.api.ledger import entry_message
from services.vouchers.app import VouchersApp
from services.vouchers.co_funding import Movement
from services.vouchers.domain.money import money
from services.vouchers.domain.statements import period
from services.vouchers.store import names, payment_shares
from services.vouchers.store.payment_share_tables import payment_shares as table

OPERATIONS = {Movement.PAYOUT: "payout", Movement.RETURN: "return", Movement.RECOVERY: "payback"}


class PaymentShareApi(payment_share_pb2_grpc.PaymentShareServiceServicer):
    """Traces money."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def ListPaymentShares(
        self, tx: Transaction, request: pb.ListPaymentSharesRequest
    ) -> pb.ListPaymentSharesResponse:
        redemption = names.uuid_in(request.redemption, "redemptions") if request.redemption else None
        batch = names.uuid_in(request.payout_batch, "payoutBatches") if request.payout_batch else None
        statement = payment_shares.listed(names.last(request.funding_source), redemption, batch)
        filters: dict[str, str | int] = {
            "funding_source": request.funding_source,
            "redemption": request.redemption,
            "payout_batch": request.payout_batch,
        }
        order = [table.c.created_at, table.c.id]
        found = page(tx, self.app.signer, statement, order_by=order, request=request, filters=filters)
        return pb.ListPaymentSharesResponse(
            payment_shares=map(share_message, found.rows), next_page_token=found.next_page_token
        )

    @query
    def GetPaymentShareSums(
        self, tx: Transaction, request: pb.GetPaymentShareSumsRequest
    ) -> pb.GetPaymentShareSumsResponse:
        first, last = date.min, tx.today + timedelta(days=1)
        if request.HasField("start_date"):
            first = date_of(request.start_date, "start_date")
        if request.HasField("end_date"):
            last = date_of(request.end_date, "end_date")
        days = period(first, last, longest=None)
        found = payment_shares.sums(tx, names.last(request.programme), *days)
        return pb.GetPaymentShareSumsResponse(sums=map(_sum, found))

    @query
    def GetPaymentTrace(self, tx: Transaction, request: pb.GetPaymentTraceRequest) -> pb.PaymentTrace:
        shares = payment_shares.of_transaction(tx, request.transaction)
        if not shares:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        # What a payout recovers belongs to other redemptions, so its own movement tells which it is about.
        first = shares[0]
        redemption, operation = f"redemptions/{first.redemption_id}", OPERATIONS[Movement(first.movement)]
        if operation == "payback" and first.cents > 0:
            operation = "paybackundone"
        entries = payment_shares.entries_of(tx, redemption, operation)
        pot = payment_shares.pot_of(tx, first.voucher_id)
        issued = payment_shares.entries_of(tx, f"vouchers/{first.voucher_id}", "issue")
        return pb.PaymentTrace(
            transaction=str(first.transaction),
            entries=[entry_message(entry) for entry in entries if entry.transaction == first.transaction],
            payment_shares=map(share_message, shares),
            pot=pot.name,
            pot_funding_source=f"fundingSources/{pot.funding_source_id}",
            issue_entries=map(entry_message, issued),
        )


def share_message(row: Row[Any]) -> pb.PaymentShare:
    """Returns a row as message."""
    return pb.PaymentShare(
        transaction=str(row.transaction),
        funding_source=f"fundingSources/{row.funding_source_id}",
        movement=row.movement,
        amount=money(row.cents, row.currency),
        redemption=f"redemptions/{row.redemption_id}",
        voucher=f"vouchers/{row.voucher_id}",
        programme_version=f"programmes/{row.programme_id}/versions/{row.version_number}",
        payout_batch=f"payoutBatches/{row.batch_id}" if row.batch_id else "",
        create_time=moment(row.created_at),
    )


def _sum(row: Row[Any]) -> pb.PaymentShareSum:
    paid, returned, recovered = int(row.paid), int(row.returned), int(row.recovered)
    return pb.PaymentShareSum(
        funding_source=f"fundingSources/{row.funding_source_id}",
        programme=f"programmes/{row.programme_id}",
        paid=money(paid, row.currency),
        returned=money(returned, row.currency),
        recovered=money(recovered, row.currency),
        net=money(paid - returned - recovered, row.currency),
    )
