"""EmployerObligationService: what employers owe for those they did not hire, paid or given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import employer_obligation_pb2 as pb
from waymark.vouchers.v1 import events_pb2

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation
from services.vouchers.api.convert import day, moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.money import checked_cents, money
from services.vouchers.domain.obligations import Count, ObligationState
from services.vouchers.domain.states import need, need_to_undo
from services.vouchers.domain.write_offs import Debt
from services.vouchers.relationships import is_accountant
from services.vouchers.store import ledger, names
from services.vouchers.store import obligations as store

State = pb.EmployerObligation.State


class DebtMethods:
    """The part of EmployerObligationService about debts."""

    app: VouchersApp

    @mutation
    def RecordObligationPayment(
        self, tx: Transaction, request: pb.RecordObligationPaymentRequest
    ) -> pb.EmployerObligation:
        row = store.lock(tx, key_of(request.name))
        need(ObligationState(row.state), (ObligationState.OWED,))
        cents = checked_cents("amount", request.amount, row.currency)
        left = _left(row)
        if cents > left:
            raise Refusal(reason_pb2.REASON_AMOUNT_TOO_HIGH, metadata={"limit_cents": str(left)})
        state = ObligationState.SETTLED if cents == left else row.state
        row = store.change(tx, row.id, {"state": int(state), "paid_cents": row.paid_cents + cents})
        payment = {
            "id": new_id(),
            "obligation_id": row.id,
            "cents": cents,
            "bank_reference": request.bank_reference,
            "recorded_by": tx.principal.subject,
        }
        store.add_payment(tx, payment)
        booking = bookings.pay_for_trainees(new_id(), request.name, cents)
        ledger.post(tx, ledger.lock_head(tx, row.shard), booking)
        return one(self.app, tx, row)

    @mutation
    def UndoObligationPayment(
        self, tx: Transaction, request: pb.UndoObligationPaymentRequest
    ) -> pb.EmployerObligation:
        above = request.name.partition("/payments/")[0]
        row = store.lock(tx, key_of(above))
        payment = store.get_payment(tx, row.id, names.uuid_in(request.name, "payments"))
        need(ObligationState(row.state), (ObligationState.OWED, ObligationState.SETTLED))
        need_to_undo(
            undone_by=payment.undone_by, recorded_by=payment.recorded_by, person=tx.principal.subject
        )
        store.undo_payment(tx, payment.id)
        owed, paid = int(ObligationState.OWED), row.paid_cents - payment.cents
        row = store.change(tx, row.id, {"state": owed, "paid_cents": paid})
        booking = bookings.undo_pay_for_trainees(new_id(), above, payment.cents)
        ledger.post(tx, ledger.lock_head(tx, row.shard), booking)
        return one(self.app, tx, row)

    @mutation
    def ProposeObligationWriteOff(
        self, tx: Transaction, request: pb.ProposeObligationWriteOffRequest
    ) -> pb.EmployerObligation:
        row = store.lock(tx, key_of(request.name))
        sealed = self.app.notes.seal(request.name, request.reason)
        proposed = _debt(row).propose(tx.principal.subject, sealed)
        return one(self.app, tx, store.change(tx, row.id, proposed))

    @mutation
    def ApproveObligationWriteOff(
        self, tx: Transaction, request: pb.ApproveObligationWriteOffRequest
    ) -> pb.EmployerObligation:
        row = store.lock(tx, key_of(request.name))
        check_etag(request.etag, row.version)
        cents, approved = _left(row), _debt(row).approve(tx.principal.subject, tx.now)
        row = store.change(tx, row.id, {**approved, "state": int(ObligationState.WRITTEN_OFF)})
        booking = bookings.write_off_for_trainees(new_id(), request.name, row.employer, cents)
        ledger.post(tx, ledger.lock_head(tx, row.shard), booking)
        amount = money(cents, row.currency)
        tx.publish(
            events_pb2.EmployerDebtWrittenOff(
                employer_obligation=request.name, employer=row.employer, amount=amount
            )
        )
        return one(self.app, tx, row)

    @mutation
    def DeclineObligationWriteOff(
        self, tx: Transaction, request: pb.DeclineObligationWriteOffRequest
    ) -> pb.EmployerObligation:
        row = store.lock(tx, key_of(request.name))
        check_etag(request.etag, row.version)
        return one(self.app, tx, store.change(tx, row.id, _debt(row).decline()))


def key_of(name: str) -> str:
    """Returns the id in the name of an obligation; raises Refusal(NOT_FOUND)."""
    return names.uuid_in(name, "employerObligations")


def one(app: VouchersApp, tx: Transaction, row: Row[Any]) -> pb.EmployerObligation:
    """Returns a row as message, with its payments."""
    (message,) = messages(app, tx, [row])
    for each in tx.execute(store.payments_of(row.id)):
        message.payments.add(
            name=f"{message.name}/payments/{each.id}",
            amount=money(each.cents, row.currency),
            bank_reference=each.bank_reference,
            create_time=moment(each.created_at),
            undo_time=moment(each.undone_at),
        )
    return message


def messages(app: VouchersApp, tx: Transaction, rows: Sequence[Row[Any]]) -> list[pb.EmployerObligation]:
    """Returns rows as messages, with what they count now."""
    counts = store.counts_of(tx, [row.id for row in rows])
    found = [_message(row, counts[row.id]) for row in rows]
    # The employer learns what it owes, not what staff think of its chances.
    if is_accountant(tx.principal):
        for row, message in zip(rows, found, strict=True):
            message.write_off_reason = app.notes.open(message.name, row.sealed_reason)
    return found


def _left(row: Row[Any]) -> int:
    """Returns what is neither paid nor written off of a debt."""
    return int(row.owed_cents - row.paid_cents - row.written_off_cents)


def _state(row: Row[Any]) -> pb.EmployerObligation.State.ValueType:
    """Returns where a row stands in the contract's terms: there a proposal to give it up is a state."""
    proposed = row.proposed_by and row.state == ObligationState.OWED
    return State.STATE_WRITE_OFF_PROPOSED if proposed else State.ValueType(row.state)


def _debt(row: Row[Any]) -> Debt:
    state = State.Name(_state(row)).removeprefix("STATE_")
    return Debt(state, "OWED", row.proposed_by, _left(row), row.written_off_cents)


def _message(row: Row[Any], count: Count) -> pb.EmployerObligation:
    return pb.EmployerObligation(
        name=f"employerObligations/{row.id}",
        employer=row.employer,
        display_names=row.display_names,
        currency_code=row.currency,
        hire_percent=row.hire_percent,
        refund_per_trainee=money(row.refund_cents, row.currency),
        creditor=f"fundingSources/{row.creditor_id}",
        due_date=day(row.due_date),
        payers=[
            pb.ObligationPayer(funding_source=source, share_basis_points=share, employer=employer)
            for source, share, employer in row.payers
        ],
        state=_state(row),
        trainee_count=count.trained,
        required_count=count.required(row.hire_percent),
        hired_count=count.hired,
        owed=money(row.owed_cents, row.currency),
        paid=money(row.paid_cents, row.currency),
        create_time=moment(row.created_at),
        written_off=money(row.written_off_cents, row.currency),
        outstanding=money(_left(row), row.currency),
        write_off_time=moment(row.written_off_at),
        etag=etag_of(row.version),
    )
