"""BankAccountService: a change needs two people and 72 hours."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import bank_account_pb2 as pb
from waymark.vouchers.v1 import bank_account_pb2_grpc, events_pb2

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.payouts import CHANGE_DELAY, checked_iban, masked_iban
from services.vouchers.domain.states import BankAccountState as State
from services.vouchers.domain.states import need
from services.vouchers.store import names, payouts
from services.vouchers.store.settlement_tables import bank_accounts


class BankAccountApi(bank_account_pb2_grpc.BankAccountServiceServicer):
    """Keeps providers' bank details."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def ProposeBankAccount(self, tx: Transaction, request: pb.ProposeBankAccountRequest) -> pb.BankAccount:
        account = request.bank_account
        values = {
            "id": new_id(),
            "organisation": request.parent,
            "holder_name": account.holder_name,
            "iban": checked_iban("bank_account.iban", account.iban),
            "bic": account.bic,
            "state": int(State.PROPOSED),
            "proposed_by": tx.principal.subject,
        }
        return account_message(payouts.add_account(tx, values))

    @mutation
    def ConfirmBankAccount(self, tx: Transaction, request: pb.ConfirmBankAccountRequest) -> pb.BankAccount:
        organisation, account = _parts(request.name)
        payouts.lock_accounts(tx, organisation)
        row = payouts.get_account(tx, organisation, account)
        need(State(row.state), (State.PROPOSED,))
        if row.proposed_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        change = payouts.confirmed_before(tx, organisation)
        values = {
            "state": int(State.CONFIRMED),
            "confirmed_by": tx.principal.subject,
            "confirmed_at": tx.now,
            "effective_at": tx.now + CHANGE_DELAY if change else tx.now,
            "is_first": not change,
        }
        row = payouts.change_account(tx, account, values)
        tx.publish(
            events_pb2.BankAccountConfirmed(
                bank_account=request.name, effective_time=moment(row.effective_at)
            )
        )
        return account_message(row)

    @mutation
    def WithdrawBankAccount(self, tx: Transaction, request: pb.WithdrawBankAccountRequest) -> pb.BankAccount:
        organisation, account = _parts(request.name)
        payouts.lock_accounts(tx, organisation)
        row = payouts.get_account(tx, organisation, account)
        need(State(row.state), (State.PROPOSED, State.CONFIRMED))
        if row.effective_at is not None and row.effective_at <= tx.now:
            # What was paid to it stays true; another account takes its place.
            metadata = {"state": "IN_USE", "needed": "PROPOSED, CONFIRMED"}
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)
        values = {
            "state": int(State.WITHDRAWN),
            "withdrawn_by": tx.principal.subject,
            "withdrawn_at": tx.now,
        }
        row = payouts.change_account(tx, account, values)
        tx.publish(events_pb2.BankAccountWithdrawn(bank_account=request.name))
        return account_message(row)

    @query
    def GetBankAccount(self, tx: Transaction, request: pb.GetBankAccountRequest) -> pb.BankAccount:
        return account_message(payouts.get_account(tx, *_parts(request.name)))

    @query
    def ListBankAccounts(
        self, tx: Transaction, request: pb.ListBankAccountsRequest
    ) -> pb.ListBankAccountsResponse:
        found = page(
            tx,
            self.app.signer,
            payouts.accounts_of(request.parent),
            order_by=[bank_accounts.c.id.desc()],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListBankAccountsResponse(
            bank_accounts=map(account_message, found.rows), next_page_token=found.next_page_token
        )


def _parts(name: str) -> tuple[str, str]:
    return "/".join(name.split("/")[:2]), names.uuid_in(name, "bankAccounts")


def account_message(row: Row[Any]) -> pb.BankAccount:
    """Returns a row as message; the IBAN is masked."""
    return pb.BankAccount(
        name=f"{row.organisation}/bankAccounts/{row.id}",
        holder_name=row.holder_name,
        iban=masked_iban(row.iban),
        bic=row.bic,
        state=row.state,
        effective_time=moment(row.effective_at),
        create_time=moment(row.created_at),
        confirm_time=moment(row.confirmed_at),
    )
