"""What a provider tests with: vouchers of learners who do not exist, and payment without money.

All else is done by what does it for real.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from waymark.errors.v1 import reason_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import Assessment, assess
from services.vouchers.bank_results import Payment, settle
from services.vouchers.domain.payouts import Due, payments
from services.vouchers.domain.sandbox import DAILY, LEARNER
from services.vouchers.domain.states import ApplicationState, BatchState, RedemptionState, need
from services.vouchers.granting import decide_by_rules
from services.vouchers.settlement import less_receivables, pay, release
from services.vouchers.store import payouts, sandbox, vouchers

STAFF = "sandbox"  # the second person of batches that concern nobody
NOWHERE = SimpleNamespace(holder_name="Sandbox", iban="", bic="")


def make_voucher(app: VouchersApp, tx: Transaction, organisation: str, programme: str, session: str) -> Any:
    """Grants a voucher to a new made-up learner by the rules of a sandbox programme; returns its row.

    `session`: one of the provider's own. Raises Refusal: NOT_FOUND, PROGRAMME_NOT_ACTIVE, SESSION_UNKNOWN,
    PROVIDER_SANCTIONED, SANDBOX_APART, SANDBOX_LIMIT, BUDGET_EXHAUSTED, INVALID_ARGUMENT naming what the
    rules ask for beside.
    """
    learner = f"{LEARNER}{new_id()}"
    found = assess(app, tx, learner, programme, session, sandbox=True)
    if found.offer is None or found.offer.organisation != organisation:
        raise Refusal(reason_pb2.REASON_SESSION_UNKNOWN)
    sandbox.count(tx, organisation, DAILY)
    row, found = decide_by_rules(tx, found, learner)
    if row.state != ApplicationState.GRANTED:
        raise _not_granted(found)
    return vouchers.get(tx, row.voucher_id)


def pay_out(tx: Transaction, row: Any, return_code: str) -> None:
    """Releases a locked redemption of the sandbox and pays it in a batch of its own, which the bank confirms,
    or returns with a `return_code`. What the provider owes back in play money is set off. Raises
    Refusal(WRONG_STATE) unless it is accepted."""
    need(RedemptionState(row.state), (RedemptionState.ACCEPTED,))
    batch, redemption = new_id(), str(row.id)
    payouts.add_batch(tx, _batch(tx, batch, row.currency))
    whole = payments(batch, [Due(redemption, row.organisation, row.held_cents + row.cleared_cents)])
    (due,) = less_receivables(tx, batch, whole, row.currency)
    if row.held_cents:
        release(tx, [row])
    payouts.put_into_batch(tx, batch, [redemption])
    payouts.set_payments(tx, batch, [due], {row.organisation: NOWHERE})
    pay(tx, batch, payouts.in_batch(tx, batch))
    paid = payouts.change_batch(tx, batch, {"total_cents": due.cents})
    if due.cents:
        result = BatchState.RETURNED if return_code else BatchState.CONFIRMED
        payment = Payment(batch, row.organisation, due.cents, 0, int(result), return_code)
        settle(tx, [payment], {batch: [payment]}, {batch: paid})
    else:  # set off whole, so no bank has a word on it
        payouts.change_batch(tx, batch, {"state": int(BatchState.CONFIRMED), "settled_at": tx.now})


def _batch(tx: Transaction, batch: str, currency: str) -> dict[str, Any]:
    """Returns the columns of a batch that was sent, from no account and to nobody."""
    caller = tx.principal.subject
    return {
        "id": batch,
        "state": int(BatchState.SENT),
        "execution_date": tx.today,
        "debtor_name": NOWHERE.holder_name,
        "debtor_iban": NOWHERE.iban,
        "currency": currency,
        **dict.fromkeys(("created_by", "frozen_by", "sent_by"), caller),
        **dict.fromkeys(("frozen_at", "approved_at", "sent_at"), tx.now),
        "approved_by": STAFF,
    }


def _not_granted(found: Assessment) -> Refusal:
    """Returns why the rules of a sandbox programme do not grant a voucher to somebody of whom nothing is
    known."""
    codes = found.decision.reason_codes
    if codes == ["BUDGET_EXHAUSTED"]:
        return Refusal(reason_pb2.REASON_BUDGET_EXHAUSTED)
    said = f"clauses failed: {', '.join(codes)}" if codes else "asks for facts, which nobody made up has"
    return invalid("programme", said)
