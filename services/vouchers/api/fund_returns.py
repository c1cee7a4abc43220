"""FundReturnService: money of a pot goes back to its source, by two people."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import fund_return_pb2 as pb
from waymark.vouchers.v1 import fund_return_pb2_grpc

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.money import MAX_CENTS, checked_cents, money
from services.vouchers.store import budgets, fund_returns, ledger, names, programmes
from services.vouchers.store.fund_return_tables import fund_returns as table

State = pb.FundReturn.State


class FundReturnApi(fund_return_pb2_grpc.FundReturnServiceServicer):
    """Returns money of programmes. Locked in this order: the programme, the proposal, the pot, the chain."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def ProposeFundReturn(self, tx: Transaction, request: pb.ProposeFundReturnRequest) -> pb.FundReturn:
        wanted, key = request.fund_return, new_id()
        programme, budget = _budget(tx, request.parent)
        cents = checked_cents("fund_return.amount", wanted.amount, programme.currency)
        pot = fund_returns.lock_pot(tx, budget, wanted.pot or "general")
        _need_available(pot, cents)
        values = {
            "id": key,
            "budget_id": budget,
            "pot_id": pot.id,
            "source_id": pot.funding_source_id,
            "cents": cents,
            "state": fund_returns.PROPOSED,
            "proposed_by": tx.principal.subject,
            "sealed_reason": self.app.notes.seal(f"{request.parent}/fundReturns/{key}", wanted.reason),
        }
        return self._message(fund_returns.add(tx, values), programme)

    @mutation
    def ApproveFundReturn(self, tx: Transaction, request: pb.ApproveFundReturnRequest) -> pb.FundReturn:
        programme, row = _proposed(tx, request.name)
        if row.proposed_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        pot = fund_returns.lock_pot(tx, str(row.budget_id), row.code)
        _need_available(pot, row.cents if pot.funding_source_id == row.source_id else MAX_CENTS)
        fund_returns.take(tx, str(row.pot_id), row.cents)
        source = f"fundingSources/{row.source_id}"
        head = ledger.lock_head_of(tx, programme.currency, row.name)
        ledger.post(tx, head, bookings.return_funds(new_id(), source, row.name, row.cents))
        return self._message(fund_returns.decide(tx, row, fund_returns.RETURNED), programme)

    @mutation
    def DeclineFundReturn(self, tx: Transaction, request: pb.DeclineFundReturnRequest) -> pb.FundReturn:
        programme, row = _proposed(tx, request.name)
        return self._message(fund_returns.decide(tx, row, fund_returns.DECLINED), programme)

    @query
    def ListFundReturns(
        self, tx: Transaction, request: pb.ListFundReturnsRequest
    ) -> pb.ListFundReturnsResponse:
        programme = programmes.get(tx, request.parent.split("/")[1])
        budget = str(budgets.get(tx, names.uuid_in(request.parent, "budgets"), programme.id).id)
        found = page(
            tx,
            self.app.signer,
            fund_returns.of_budget(budget),
            order_by=[table.c.id.desc()],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListFundReturnsResponse(
            fund_returns=[self._message(row, programme) for row in found.rows],
            next_page_token=found.next_page_token,
        )

    def _message(self, row: Row[Any], programme: Row[Any]) -> pb.FundReturn:
        name = f"programmes/{programme.id}/budgets/{row.budget_id}/fundReturns/{row.id}"
        return pb.FundReturn(
            name=name,
            pot=row.code,
            amount=money(row.cents, programme.currency),
            reason=self.app.notes.open(name, row.sealed_reason),
            state=row.state,
            funding_source=f"fundingSources/{row.source_id}",
            create_time=moment(row.created_at),
            decide_time=moment(row.decided_at),
        )


def _budget(tx: Transaction, name: str) -> tuple[Row[Any], str]:
    """Locks a programme and returns it with the id of its budget; raises Refusal(NOT_FOUND)."""
    programme = programmes.lock(tx, name.split("/")[1])
    return programme, str(budgets.get(tx, names.uuid_in(name, "budgets"), programme.id).id)


def _proposed(tx: Transaction, name: str) -> tuple[Row[Any], Row[Any]]:
    """Locks and returns a programme and a proposal; raises Refusal: NOT_FOUND, WRONG_STATE."""
    programme, budget = _budget(tx, name.partition("/fundReturns/")[0])
    row = fund_returns.get(tx, budget, names.uuid_in(name, "fundReturns"), locked=True)
    if row.state != fund_returns.PROPOSED:
        state = State.Name(row.state).removeprefix("STATE_")
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": "PROPOSED"})
    return programme, row


def _need_available(pot: Row[Any], cents: int) -> None:
    if cents > pot.available_cents:
        metadata = {"limit_cents": str(pot.available_cents)}
        raise Refusal(reason_pb2.REASON_AMOUNT_TOO_HIGH, metadata=metadata)
