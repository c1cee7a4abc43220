"""What a provider owes back: paid by itself, given up by two people, listed by age."""

from __future__ import annotations

from sqlalchemy import text
from waymark.vouchers.v1 import (
    payment_share_pb2,
    payout_batch_pb2,
    statement_pb2,
)

from services.platform.db.transaction import transaction
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_bank_results import approved
from tests.integration.vouchers.test_claw_back import (
    BANK,
    LOSS,
    RECEIVABLE,
    balances,
    claw_back,
    intact,
    listed,
    owe_more,
    owed,
    paid,
    pb,
)
from tests.support.canary import CANARY, everything
from tests.support.vouchers import World, cents, day_message, eur, request_id

__all__ = ["owed", "paid"]


def test_a_write_off_needs_two_people_and_books_the_loss(paid: World) -> None:
    assert claw_back(paid, 80_000, reason=f"{CANARY} was not there").end_note == f"{CANARY} was not there"
    (owing,) = listed(paid)
    approve = pb.ApproveWriteOffRequest(name=owing.name)
    assert refused(lambda: paid.approver.receivables.ApproveWriteOff(approve)) == "WRONG_STATE"
    propose = pb.ProposeWriteOffRequest(name=owing.name, reason=f"{CANARY} is bankrupt")
    proposed = paid.payer.receivables.ProposeWriteOff(propose)
    assert proposed.state == pb.Receivable.STATE_WRITE_OFF_PROPOSED
    assert proposed.write_off_reason == f"{CANARY} is bankrupt"
    both = paid.person("provider", "employer", org=paid.organisation)
    theirs = pb.ListReceivablesRequest(organisation=paid.organisation)
    for provider in (paid.provider, both):
        assert [
            each.write_off_reason for each in provider.receivables.ListReceivables(theirs).receivables
        ] == [""]
    assert refused(lambda: paid.payer.receivables.ProposeWriteOff(propose)) == "WRONG_STATE"
    assert refused(lambda: paid.payer.receivables.ApproveWriteOff(approve)) == "SAME_PERSON"
    approve.etag = owing.etag
    assert refused(lambda: paid.approver.receivables.ApproveWriteOff(approve)) == "ETAG_STALE"
    approve.etag = proposed.etag
    gone = paid.approver.receivables.ApproveWriteOff(approve)
    assert (gone.state, cents(gone.written_off), cents(gone.outstanding)) == (
        pb.Receivable.STATE_WRITTEN_OFF,
        80_000,
        0,
    )
    approve.etag = ""
    assert refused(lambda: paid.approver.receivables.ApproveWriteOff(approve)) == "WRONG_STATE"
    assert balances(paid, RECEIVABLE, LOSS) == [0, -80_000]
    owe_more(paid, 50_000)
    assert cents(approved(paid).total) == 50_000
    assert intact(paid)
    assert everything(paid.app.engine).count(CANARY) == 0


def test_a_provider_pays_back_and_what_was_noted_wrongly_is_undone_by_another(paid: World) -> None:
    claw_back(paid, 80_000)
    (owing,) = listed(paid)
    calls, other = paid.payer.receivables, paid.approver.receivables
    too_much = pb.RecordReceivablePaymentRequest(name=owing.name, amount=eur(80_001))
    assert refused(lambda: calls.RecordReceivablePayment(too_much)) == "AMOUNT_TOO_HIGH"
    request = pb.RecordReceivablePaymentRequest(
        name=owing.name, amount=eur(30_000), bank_reference="A-1", request_id=request_id()
    )
    part = calls.RecordReceivablePayment(request)
    assert calls.RecordReceivablePayment(request) == part  # the same call counts once
    assert (cents(part.paid), cents(part.outstanding), part.state) == (
        30_000,
        50_000,
        pb.Receivable.STATE_OPEN,
    )
    assert balances(paid, BANK, RECEIVABLE) == [70_000, -50_000]
    assert intact(paid)
    (noted,) = part.payments
    assert (cents(noted.amount), noted.bank_reference) == (30_000, "A-1")
    undo = pb.UndoReceivablePaymentRequest(name=noted.name)
    assert refused(lambda: calls.UndoReceivablePayment(undo)) == "SAME_PERSON"
    undone = other.UndoReceivablePayment(undo)
    assert (cents(undone.outstanding), undone.payments[0].HasField("undo_time")) == (80_000, True)
    assert refused(lambda: other.UndoReceivablePayment(undo)) == "WRONG_STATE"
    assert balances(paid, BANK, RECEIVABLE) == [100_000, -80_000]
    whole = pb.RecordReceivablePaymentRequest(name=owing.name, amount=eur(80_000))
    assert calls.RecordReceivablePayment(whole).state == pb.Receivable.STATE_SETTLED
    assert refused(lambda: calls.RecordReceivablePayment(whole)) == "WRONG_STATE"
    assert balances(paid, BANK, RECEIVABLE) == [20_000, 0]
    assert intact(paid)
    shares = paid.auditor.payment_shares.ListPaymentShares(payment_share_pb2.ListPaymentSharesRequest())
    found = list(shares.payment_shares)
    assert [cents(each.amount) for each in found] == [100_000, -30_000, 30_000, -80_000]
    traces = [
        paid.auditor.payment_shares.GetPaymentTrace(
            payment_share_pb2.GetPaymentTraceRequest(transaction=each.transaction)
        )
        for each in found
    ]
    assert [each.entries[0].operation for each in traces] == ["payout", "payback", "paybackundone", "payback"]
    days = {"start_date": day_message(paid.today), "end_date": day_message(paid.today)}
    asked = statement_pb2.GetStatementRequest(parent=paid.organisation, **days)
    said = paid.provider.statements.GetStatement(asked)
    assert (cents(said.paid_back), cents(said.paid_back_undone)) == (110_000, 30_000)
    assert cents(said.closing_receivable) == 0


def test_a_write_off_is_declined_and_one_proposed_before_is_not_approved_twice(paid: World) -> None:
    claw_back(paid, 80_000)
    owe_more(paid, 50_000)
    (owing,) = listed(paid)
    propose = pb.ProposeWriteOffRequest(name=owing.name, reason="is bankrupt")
    decline = pb.DeclineWriteOffRequest(name=owing.name)
    approve = pb.ApproveWriteOffRequest(name=owing.name)
    calls, other = paid.payer.receivables, paid.approver.receivables
    assert refused(lambda: calls.DeclineWriteOff(decline)) == "WRONG_STATE"
    for each in (calls, other):
        calls.ProposeWriteOff(propose)
        declined = each.DeclineWriteOff(decline)
        assert (declined.state, declined.write_off_reason) == (pb.Receivable.STATE_OPEN, "")
    assert refused(lambda: other.ApproveWriteOff(approve)) == "WRONG_STATE"
    batch = paid.batch()
    paid.payer.batches.FreezePayoutBatch(payout_batch_pb2.FreezePayoutBatchRequest(name=batch.name))
    calls.ProposeWriteOff(propose)
    assert cents(other.ApproveWriteOff(approve).written_off) == 30_000  # the batch sets the rest off
    cancel = payout_batch_pb2.CancelPayoutBatchRequest(name=batch.name, reason="not today")
    paid.payer.batches.CancelPayoutBatch(cancel)
    assert refused(lambda: other.ApproveWriteOff(approve)) == "WRONG_STATE"
    other.ProposeWriteOff(propose)  # whoever approved the first may propose the second
    assert refused(lambda: other.ApproveWriteOff(approve)) == "SAME_PERSON"
    assert cents(calls.ApproveWriteOff(approve).written_off) == 80_000
    assert intact(paid)


def test_receivables_are_listed_by_age_and_a_provider_sees_only_its_own(paid: World) -> None:
    claw_back(paid, 10_000)
    with transaction(paid.app) as tx:
        tx.execute(text("UPDATE receivables SET created_at = created_at - interval '40 days'"))
    claw_back(paid, 20_000)
    assert [(each.age_days, cents(each.amount)) for each in listed(paid)] == [(40, 10_000), (0, 20_000)]
    assert [cents(each.amount) for each in listed(paid, min_age_days=30)] == [10_000]
    mine = pb.ListReceivablesRequest(organisation=paid.organisation)
    assert len(paid.provider.receivables.ListReceivables(mine).receivables) == 2
    other = paid.person("provider", org="organisations/other")
    assert refused(lambda: other.receivables.ListReceivables(mine)) == "NOT_FOUND"
    get = pb.GetReceivableRequest(name=listed(paid)[0].name)
    assert paid.auditor.receivables.GetReceivable(get).age_days == 40
