"""PayoutBatchService: gather, freeze, approve by a second person, bank file, sent; or given up before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from google.api import httpbody_pb2
from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2, payout_batch_pb2_grpc
from waymark.vouchers.v1 import payout_batch_pb2 as pb

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of, day, moment
from services.vouchers.app import VouchersApp
from services.vouchers.bank_results import give_up
from services.vouchers.domain.bank_letters import latin
from services.vouchers.domain.money import money
from services.vouchers.domain.pain001 import Transfer, bank_file
from services.vouchers.domain.payouts import Account, checked_iban, masked_iban
from services.vouchers.domain.sandbox import keep_apart
from services.vouchers.domain.states import BatchKind, BatchState, need
from services.vouchers.settlement import (
    AT_ONCE,
    less_receivables,
    pay,
    pay_payables,
    payments_for,
    release_due,
)
from services.vouchers.store import names, payables, payouts, receivables
from services.vouchers.store.settlement_tables import payout_batches

State = BatchState
NAMED = 10  # payees that a refusal names
LARGEST = 10_000  # redemptions of one batch
BEFORE_BANK = (State.OPEN, State.FROZEN, State.APPROVED)
MAYBE_THERE = (State.APPROVED, State.SENT)
HAS_FILE = (State.APPROVED, State.SENT, State.CONFIRMED, State.RETURNED)


class Dues(Protocol):
    """Statements about what batches pay: redemptions or payables, with rows of the same shape."""

    def cleared(self, tx: Transaction, currency: str, limit: int) -> list[Row[Any]]: ...
    def skipped(self, tx: Transaction, currency: str) -> list[str]: ...
    def put_into_batch(self, tx: Transaction, batch: str, ids: Iterable[str]) -> None: ...
    def stopped(self, tx: Transaction, batch: str) -> list[str]: ...
    def drop_stopped(self, tx: Transaction, batch: str) -> list[str]: ...
    def take_out(self, tx: Transaction, ids: Iterable[str]) -> None: ...
    def in_batch(self, tx: Transaction, batch: str) -> list[Row[Any]]: ...


DUES: Mapping[BatchKind, Dues] = {BatchKind.REDEMPTIONS: payouts, BatchKind.PAYABLES: payables}
PAY = {BatchKind.REDEMPTIONS: pay, BatchKind.PAYABLES: pay_payables}
# What payees read on their statements.
TEXTS = {
    BatchKind.REDEMPTIONS: "Vouchers {batch}, {count} redemptions",
    BatchKind.PAYABLES: "Waymark {batch}, {count} approved amounts",
}


class PayoutBatchApi(payout_batch_pb2_grpc.PayoutBatchServiceServicer):
    """Pays providers."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreatePayoutBatch(self, tx: Transaction, request: pb.CreatePayoutBatchRequest) -> pb.PayoutBatch:
        wanted, batch = request.payout_batch, new_id()
        currency = wanted.currency_code or "EUR"
        keep_apart(currency)
        kind = BatchKind(wanted.kind or BatchKind.REDEMPTIONS)
        execution = date_of(wanted.execution_date, "payout_batch.execution_date")
        _need_day_to_come(tx, execution)
        values: dict[str, Any] = {
            "id": batch,
            "kind": int(kind),
            "state": int(State.OPEN),
            "execution_date": execution,
            "debtor_name": wanted.debtor_name,
            "debtor_iban": checked_iban("payout_batch.debtor_iban", wanted.debtor_iban),
            "debtor_bic": wanted.debtor_bic,
            "currency": currency,
            "created_by": tx.principal.subject,
        }
        if kind is BatchKind.REDEMPTIONS:
            self._release_due(tx)
        rows = DUES[kind].cleared(tx, currency, LARGEST)
        if not rows:
            raise Refusal(reason_pb2.REASON_NOTHING_TO_PAY)
        payouts.add_batch(tx, {**values, "skipped": DUES[kind].skipped(tx, currency)})
        DUES[kind].put_into_batch(tx, batch, [str(row.id) for row in rows])
        dues = payments_for(batch, rows)
        accounts = payouts.usable_accounts(tx, {row.organisation for row in rows})
        payouts.set_payments(tx, batch, dues, accounts)
        row = payouts.change_batch(tx, batch, {"total_cents": sum(payment.cents for payment in dues)})
        return self._message(tx, row, payouts.payments_of(tx, batch))

    def _release_due(self, tx: Transaction) -> None:
        payouts.wait_for_releases(tx)
        for _ in range(LARGEST // AT_ONCE):
            if release_due(self.app, tx) < AT_ONCE:
                return

    @mutation
    def FreezePayoutBatch(self, tx: Transaction, request: pb.FreezePayoutBatchRequest) -> pb.PayoutBatch:
        batch = names.uuid_in(request.name, "payoutBatches")
        before = payouts.get_batch(tx, batch, locked=True)
        need(State(before.state), (State.OPEN, State.FROZEN))
        kind = BatchKind(before.kind)
        held = DUES[kind].drop_stopped(tx, batch)
        rows = DUES[kind].in_batch(tx, batch)
        if not rows and not held:
            raise Refusal(reason_pb2.REASON_NOTHING_TO_PAY)
        dues = payments_for(batch, rows)
        if kind is BatchKind.REDEMPTIONS:
            dues = less_receivables(tx, batch, dues, before.currency)
        accounts = payouts.usable_accounts(tx, {row.organisation for row in rows})
        payouts.set_payments(tx, batch, dues, accounts)
        # Left open with nothing in it, a batch binds nothing that is held, for somebody to take it back.
        values = {
            "state": int(State.FROZEN if rows else State.OPEN),
            "frozen_by": tx.principal.subject if rows else "",
            "frozen_at": tx.now if rows else None,
            "total_cents": sum(payment.cents for payment in dues),
        }
        return self._message(tx, payouts.change_batch(tx, batch, values), payouts.payments_of(tx, batch))

    @mutation
    def ApprovePayoutBatch(self, tx: Transaction, request: pb.ApprovePayoutBatchRequest) -> pb.PayoutBatch:
        batch = names.uuid_in(request.name, "payoutBatches")
        row = payouts.get_batch(tx, batch, locked=True)
        check_etag(request.etag, row.version)
        need(State(row.state), (State.FROZEN,))
        if tx.principal.subject in (row.created_by, row.frozen_by):
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        kind = BatchKind(row.kind)
        _need_no_hold(tx, row)
        _need_day_to_come(tx, row.execution_date)
        _need_same_accounts(tx, batch)
        PAY[kind](tx, batch, DUES[kind].in_batch(tx, batch))
        values = {
            "state": int(State.APPROVED),
            "approved_by": tx.principal.subject,
            "approved_at": tx.now,
        }
        row = payouts.change_batch(tx, batch, values)
        paid = payouts.payments_of(tx, batch)
        event = events_pb2.PayoutBatchApproved(
            payout_batch=request.name,
            total=money(row.total_cents, row.currency),
            payment_count=sum(payment.amount_cents > 0 for payment in paid),
        )
        tx.publish(event)
        return self._message(tx, row, paid)

    @mutation
    def MarkPayoutBatchSent(self, tx: Transaction, request: pb.MarkPayoutBatchSentRequest) -> pb.PayoutBatch:
        batch = names.uuid_in(request.name, "payoutBatches")
        row = payouts.get_batch(tx, batch, locked=True)
        check_etag(request.etag, row.version)
        need(State(row.state), (State.APPROVED,))
        values: dict[str, Any] = {
            "state": int(State.SENT),
            "sent_by": tx.principal.subject,
            "sent_at": tx.now,
        }
        paid = payouts.payments_of(tx, batch)
        if all(payment.result for payment in paid):  # set off whole, so the bank will not say a word
            values |= {"state": int(State.CONFIRMED), "settled_at": tx.now}
        elif row.file_read_at is None or row.file_retracted_by:
            raise Refusal(reason_pb2.REASON_BANK_FILE_NOT_FETCHED)
        row = payouts.change_batch(tx, batch, values)
        tx.publish(events_pb2.PayoutBatchSent(payout_batch=request.name))
        return self._message(tx, row, paid)

    @mutation
    def RetractBankFile(self, tx: Transaction, request: pb.RetractBankFileRequest) -> pb.PayoutBatch:
        batch = names.uuid_in(request.name, "payoutBatches")
        row = payouts.get_batch(tx, batch, locked=True)
        check_etag(request.etag, row.version)
        need(State(row.state), MAYBE_THERE)
        paid = payouts.payments_of(tx, batch)
        if row.state == State.SENT:
            _need_no_word(paid)
        values = {"file_retracted_by": tx.principal.subject, "file_retracted_at": tx.now}
        return self._message(tx, payouts.change_batch(tx, batch, values), paid)

    @mutation
    def CancelPayoutBatch(self, tx: Transaction, request: pb.CancelPayoutBatchRequest) -> pb.PayoutBatch:
        batch = names.uuid_in(request.name, "payoutBatches")
        row = payouts.get_batch(tx, batch, locked=True)
        check_etag(request.etag, row.version)
        paid = payouts.payments_of(tx, batch)
        _need_before_bank(row, paid, tx.principal.subject)
        if row.state in MAYBE_THERE:
            give_up(tx, row, paid)
        else:
            dues = DUES[BatchKind(row.kind)]
            dues.take_out(tx, [str(due.id) for due in dues.in_batch(tx, batch)])
            receivables.release_set_offs(tx, batch)
        values = {
            "state": int(State.CANCELLED),
            "cancelled_by": tx.principal.subject,
            "cancelled_at": tx.now,
            "sealed_cancel_reason": self.app.notes.seal(request.name, request.reason),
        }
        row = payouts.change_batch(tx, batch, values)
        tx.publish(events_pb2.PayoutBatchCancelled(payout_batch=request.name))
        return self._message(tx, row, paid)

    @query
    def GetPayoutBatch(self, tx: Transaction, request: pb.GetPayoutBatchRequest) -> pb.PayoutBatch:
        batch = names.uuid_in(request.name, "payoutBatches")
        return self._message(tx, payouts.get_batch(tx, batch), payouts.payments_of(tx, batch))

    @query
    def ListPayoutBatches(
        self, tx: Transaction, request: pb.ListPayoutBatchesRequest
    ) -> pb.ListPayoutBatchesResponse:
        order = [payout_batches.c.id.desc()]
        filters = {"state": int(request.state), "days": request.min_days_without_word}
        asked = payouts.listed(tx, request.state, request.min_days_without_word)
        found = page(tx, self.app.signer, asked, order_by=order, request=request, filters=filters)
        return pb.ListPayoutBatchesResponse(
            payout_batches=[self._message(tx, row, ()) for row in found.rows],
            next_page_token=found.next_page_token,
        )

    @mutation
    def GetBankFile(self, tx: Transaction, request: pb.GetBankFileRequest) -> httpbody_pb2.HttpBody:
        batch = names.uuid_in(request.name, "payoutBatches")
        row = payouts.get_batch(tx, batch, locked=True)
        keep_apart(row.currency)
        need(State(row.state), HAS_FILE)
        transfers = [
            Transfer(
                payee=Account(paid.holder_name, paid.iban, paid.bic),
                cents=paid.amount_cents,
                reference=paid.end_to_end_id,
                text=_text(row, paid),
            )
            for paid in payouts.payments_of(tx, batch)
            if paid.amount_cents
        ]
        if not transfers:
            raise Refusal(reason_pb2.REASON_NOTHING_TO_PAY)
        if row.file_read_at is None or row.file_retracted_by:
            _need_no_hold(tx, row)
            payouts.note_file(tx, batch)
        debtor = Account(row.debtor_name, row.debtor_iban, row.debtor_bic)
        message_id = batch.replace("-", "").upper()
        content = bank_file(message_id, row.approved_at, row.execution_date, debtor, row.currency, transfers)
        return httpbody_pb2.HttpBody(content_type="application/xml", data=content)

    def _message(self, tx: Transaction, row: Row[Any], paid: Sequence[Row[Any]]) -> pb.PayoutBatch:
        name = f"payoutBatches/{row.id}"
        return pb.PayoutBatch(
            name=name,
            state=row.state,
            execution_date=day(row.execution_date),
            debtor_name=row.debtor_name,
            debtor_iban=row.debtor_iban,
            debtor_bic=row.debtor_bic,
            currency_code=row.currency,
            total=money(row.total_cents, row.currency),
            payouts=[_payout(row, payment) for payment in paid],
            skipped_organisations=row.skipped,
            create_time=moment(row.created_at),
            freeze_time=moment(row.frozen_at),
            approve_time=moment(row.approved_at),
            send_time=moment(row.sent_at),
            days_without_word=(tx.now - row.sent_at).days if row.state == State.SENT else 0,
            settle_time=moment(row.settled_at),
            file_time=moment(row.file_read_at),
            file_retract_time=moment(row.file_retracted_at),
            cancel_time=moment(row.cancelled_at),
            cancel_reason=self.app.notes.open(name, row.sealed_cancel_reason),
            etag=etag_of(row.version),
            kind=row.kind,
        )


def _need_day_to_come(tx: Transaction, execution: date) -> None:
    if execution < tx.today:
        metadata = {"execution_date": execution.isoformat()}
        raise Refusal(reason_pb2.REASON_EXECUTION_DATE_PAST, metadata=metadata)


def _need_no_hold(tx: Transaction, row: Row[Any]) -> None:
    kind = BatchKind(row.kind)
    held = DUES[kind].stopped(tx, str(row.id))
    if held:
        raise Refusal(reason_pb2.REASON_PAYOUT_HELD, metadata={kind.name.lower(): str(len(held))})


def _need_same_accounts(tx: Transaction, batch: str) -> None:
    """Raises Refusal(PAYEE_ACCOUNT_CHANGED) unless all that goes to the bank goes to the accounts of now."""
    paid = [payment for payment in payouts.payments_of(tx, batch) if payment.amount_cents]
    now = payouts.usable_accounts(tx, {payment.organisation for payment in paid})
    changed = [
        payment.organisation
        for payment in paid
        if (account := now.get(payment.organisation)) is None
        or (account.holder_name, account.iban, account.bic)
        != (payment.holder_name, payment.iban, payment.bic)
    ]
    if changed:
        metadata = {"organisations": ", ".join(changed[:NAMED])}
        raise Refusal(reason_pb2.REASON_PAYEE_ACCOUNT_CHANGED, metadata=metadata)


def _need_no_word(paid: Sequence[Row[Any]]) -> None:
    """Raises Refusal(WRONG_STATE) when the bank has said a word on a payment: it has the file."""
    if any(payment.result and payment.amount_cents for payment in paid):
        need(State.CONFIRMED, MAYBE_THERE)


def _need_before_bank(row: Row[Any], paid: Sequence[Row[Any]], person: str) -> None:
    """Raises Refusal unless the bank cannot have a payment of the batch, by two people's word if its file was
    fetched or is said to be there: WRONG_STATE, BANK_FILE_FETCHED, SAME_PERSON."""
    need(State(row.state), (*BEFORE_BANK, State.SENT))
    maybe_there = row.file_read_at is not None or row.state == State.SENT
    if maybe_there and not row.file_retracted_by:
        raise Refusal(reason_pb2.REASON_BANK_FILE_FETCHED)
    if row.state == State.SENT:
        _need_no_word(paid)
    if maybe_there and row.file_retracted_by == person:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)
    if row.state == State.APPROVED and all(payment.result for payment in paid):
        need(State.CONFIRMED, BEFORE_BANK)  # set off whole, so there is nothing to take back


def _payout(batch: Row[Any], payment: Row[Any]) -> pb.Payout:
    return pb.Payout(
        organisation=payment.organisation,
        amount=money(payment.amount_cents, batch.currency),
        redemption_count=payment.redemption_count if batch.kind == BatchKind.REDEMPTIONS else 0,
        payable_count=payment.redemption_count if batch.kind == BatchKind.PAYABLES else 0,
        end_to_end_id=payment.end_to_end_id,
        state=payment.result or batch.state,
        return_code=payment.return_code,
        result_time=moment(payment.result_at),
        set_off=money(payment.set_off_cents, batch.currency),
        holder_name=latin(payment.holder_name),
        iban=masked_iban(payment.iban),
        bic=payment.bic,
        text=_text(batch, payment),
    )


def _text(batch: Row[Any], payment: Row[Any]) -> str:
    return TEXTS[BatchKind(batch.kind)].format(batch=batch.id, count=payment.redemption_count)
