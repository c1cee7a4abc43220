"""WaitingListService: who waits for a programme's money."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import waiting_list_pb2 as pb
from waymark.vouchers.v1 import waiting_list_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.vouchers import waiting
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money import money
from services.vouchers.domain.waiting import WaitingState
from services.vouchers.store import names, waiting_list
from services.vouchers.store.wallet_tables import waiting_list as table

COLLECTION = "waitingListEntries"


class WaitingListApi(waiting_list_pb2_grpc.WaitingListServiceServicer):
    """Keeps who waits for a programme's money."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def JoinWaitingList(self, tx: Transaction, request: pb.JoinWaitingListRequest) -> pb.WaitingListEntry:
        return _for_caller(tx, waiting.join(tx, names.uuid_in(request.name, "applications")))

    @query
    def GetWaitingListEntry(
        self, tx: Transaction, request: pb.GetWaitingListEntryRequest
    ) -> pb.WaitingListEntry:
        return _for_caller(tx, waiting_list.get(tx, names.uuid_in(request.name, COLLECTION)))

    @query
    def ListWaitingListEntries(
        self, tx: Transaction, request: pb.ListWaitingListEntriesRequest
    ) -> pb.ListWaitingListEntriesResponse:
        programme = names.last(request.programme)
        found = page(
            tx,
            self.app.signer,
            waiting_list.listed(request.learner, programme, request.state),
            order_by=[table.c.place],
            request=request,
            filters={"learner": request.learner, "programme": programme, "state": request.state},
        )
        return pb.ListWaitingListEntriesResponse(
            waiting_list_entries=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def AcceptWaitingListOffer(
        self, tx: Transaction, request: pb.AcceptWaitingListOfferRequest
    ) -> pb.WaitingListEntry:
        return _for_caller(tx, waiting.accept(self.app, tx, names.uuid_in(request.name, COLLECTION)))

    @mutation
    def LeaveWaitingList(self, tx: Transaction, request: pb.LeaveWaitingListRequest) -> pb.WaitingListEntry:
        return _for_caller(tx, waiting.leave(tx, names.uuid_in(request.name, COLLECTION)))


def _for_caller(tx: Transaction, row: Row[Any]) -> pb.WaitingListEntry:
    """Returns a row as message, with the position for the learner alone."""
    message = _message(row)
    if row.state == WaitingState.WAITING and row.learner == f"learners/{tx.principal.subject}":
        message.position = waiting_list.position(tx, row)
    return message


def _message(row: Row[Any]) -> pb.WaitingListEntry:
    message = pb.WaitingListEntry(
        name=f"{COLLECTION}/{row.id}",
        application=f"applications/{row.application_id}",
        learner=row.learner,
        programme=f"programmes/{row.programme_id}",
        state=row.state,
        accept_until=moment(row.accept_until),
        voucher=f"vouchers/{row.voucher_id}" if row.voucher_id else "",
        reason_codes=row.reason_codes,
        create_time=moment(row.created_at),
        end_time=moment(row.ended_at),
    )
    if row.offered_cents:
        message.amount.CopyFrom(money(row.offered_cents, row.currency))
    return message
