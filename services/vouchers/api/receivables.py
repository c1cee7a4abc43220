"""ReceivableService: what providers owe back."""

from __future__ import annotations

from typing import Any

from google.api import httpbody_pb2
from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2, receivable_pb2_grpc
from waymark.vouchers.v1 import receivable_pb2 as pb

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.api.letters import written
from services.vouchers.app import VouchersApp
from services.vouchers.clawing_back import free_cents, left_cents, pay_back, undo_pay_back
from services.vouchers.domain import bookings
from services.vouchers.domain.creditor_reference import reference_of
from services.vouchers.domain.money import checked_cents, money
from services.vouchers.domain.sandbox import keep_apart
from services.vouchers.domain.write_offs import Debt
from services.vouchers.letters.demanding import demand_of
from services.vouchers.relationships import is_accountant
from services.vouchers.store import ledger, names, programmes, receivables
from services.vouchers.store.settlement_tables import receivables as table

State = pb.Receivable.State


class ReceivableApi(receivable_pb2_grpc.ReceivableServiceServicer):
    """Keeps what providers owe back."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetReceivable(self, tx: Transaction, request: pb.GetReceivableRequest) -> pb.Receivable:
        return self._one(tx, receivables.get(tx, names.uuid_in(request.name, "receivables")))

    @query
    def ListReceivables(
        self, tx: Transaction, request: pb.ListReceivablesRequest
    ) -> pb.ListReceivablesResponse:
        found = page(
            tx,
            self.app.signer,
            receivables.listed(
                tx,
                request.organisation,
                request.min_age_days,
                settled=request.show_settled,
                sandbox=request.sandbox,
            ),
            order_by=[table.c.id],
            request=request,
            filters={
                "organisation": request.organisation,
                "min_age_days": request.min_age_days,
                "show_settled": request.show_settled,
                "sandbox": request.sandbox,
            },
        )
        return pb.ListReceivablesResponse(
            receivables=[self._message(tx, row) for row in found.rows],
            next_page_token=found.next_page_token,
        )

    @query
    def GetDemandLetter(self, tx: Transaction, request: pb.GetDemandLetterRequest) -> httpbody_pb2.HttpBody:
        row = receivables.demanded(tx, names.uuid_in(request.name, "receivables"))
        keep_apart(row.currency)
        rules = self.app.rules(tx, row.programme_id, row.version_number)
        said = demand_of(row, rules, programmes.get(tx, row.programme_id).display_names)
        return written(said, request.format, request.language_code)

    @mutation
    def ProposeWriteOff(self, tx: Transaction, request: pb.ProposeWriteOffRequest) -> pb.Receivable:
        receivable = names.uuid_in(request.name, "receivables")
        row = receivables.get(tx, receivable, locked=True)
        keep_apart(row.currency)
        sealed = self.app.notes.seal(request.name, request.reason)
        proposed = _debt(row).propose(tx.principal.subject, sealed)
        return self._one(tx, receivables.change(tx, receivable, proposed))

    @mutation
    def ApproveWriteOff(self, tx: Transaction, request: pb.ApproveWriteOffRequest) -> pb.Receivable:
        row = receivables.get(tx, names.uuid_in(request.name, "receivables"), locked=True)
        check_etag(request.etag, row.version)
        cents, approved = free_cents(row), _debt(row).approve(tx.principal.subject, tx.now)
        written = receivables.change(tx, row.id, approved)
        redemption = f"redemptions/{row.redemption_id}"
        booking = bookings.write_off(new_id(), redemption, request.name, row.organisation, cents)
        ledger.post(tx, ledger.lock_head(tx, row.shard), booking)
        amount = money(cents, row.currency)
        tx.publish(
            events_pb2.ReceivableWrittenOff(
                receivable=request.name, organisation=row.organisation, amount=amount
            )
        )
        return self._one(tx, written)

    @mutation
    def DeclineWriteOff(self, tx: Transaction, request: pb.DeclineWriteOffRequest) -> pb.Receivable:
        row = receivables.get(tx, names.uuid_in(request.name, "receivables"), locked=True)
        check_etag(request.etag, row.version)
        return self._one(tx, receivables.change(tx, row.id, _debt(row).decline()))

    @mutation
    def RecordReceivablePayment(
        self, tx: Transaction, request: pb.RecordReceivablePaymentRequest
    ) -> pb.Receivable:
        row = receivables.get(tx, names.uuid_in(request.name, "receivables"), locked=True)
        keep_apart(row.currency)
        cents = checked_cents("amount", request.amount, row.currency)
        return self._one(tx, pay_back(tx, row, cents, request.bank_reference))

    @mutation
    def UndoReceivablePayment(
        self, tx: Transaction, request: pb.UndoReceivablePaymentRequest
    ) -> pb.Receivable:
        payment = names.uuid_in(request.name, "payments")
        above = names.uuid_in(request.name.partition("/payments/")[0], "receivables")
        row = receivables.get(tx, above, locked=True)
        return self._one(tx, undo_pay_back(tx, row, receivables.get_payment(tx, above, payment)))

    def _one(self, tx: Transaction, row: Row[Any]) -> pb.Receivable:
        message = self._message(tx, row)
        message.payments.extend(
            _payment(each, row.currency) for each in tx.execute(receivables.payments_of(row.id))
        )
        return message

    def _message(self, tx: Transaction, row: Row[Any]) -> pb.Receivable:
        name = f"receivables/{row.id}"
        # The provider learns what it owes, not what staff think of its chances.
        staff = is_accountant(tx.principal)
        return pb.Receivable(
            name=name,
            redemption=f"redemptions/{row.redemption_id}",
            organisation=row.organisation,
            state=_state(row),
            amount=money(row.amount_cents, row.currency),
            reserved=money(row.reserved_cents, row.currency),
            set_off=money(row.set_off_cents, row.currency),
            paid=money(row.paid_cents, row.currency),
            written_off=money(row.written_off_cents, row.currency),
            outstanding=money(left_cents(row), row.currency),
            age_days=(tx.now - row.created_at).days,
            write_off_reason=self.app.notes.open(name, row.sealed_reason) if staff else "",
            create_time=moment(row.created_at),
            write_off_time=moment(row.written_off_at),
            etag=etag_of(row.version),
            payment_reference=reference_of(row.id),
        )


def _state(row: Row[Any]) -> State.ValueType:
    if not left_cents(row):
        return State.STATE_WRITTEN_OFF if row.written_off_cents else State.STATE_SETTLED
    return State.STATE_WRITE_OFF_PROPOSED if row.proposed_by else State.STATE_OPEN


def _debt(row: Row[Any]) -> Debt:
    state = State.Name(_state(row)).removeprefix("STATE_")
    return Debt(state, "OPEN", row.proposed_by, free_cents(row), row.written_off_cents)


def _payment(row: Row[Any], currency: str) -> pb.ReceivablePayment:
    return pb.ReceivablePayment(
        name=f"receivables/{row.receivable_id}/payments/{row.id}",
        amount=money(row.cents, currency),
        bank_reference=row.bank_reference,
        create_time=moment(row.created_at),
        undo_time=moment(row.undone_at),
        matched=bool(row.credit),
    )
