"""A grant: money leaves a pot and becomes a voucher, in the transaction of the decision."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import Assessment
from services.vouchers.decisions import decision_values, outcome_values
from services.vouchers.domain import bookings, codes
from services.vouchers.domain.history import Kind
from services.vouchers.domain.ledger import Booking
from services.vouchers.domain.money import money
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.domain.states import ApplicationState, VoucherState, need
from services.vouchers.domain.voucher import LIVE
from services.vouchers.store import applications, budgets, ledger, voucher_changes, vouchers


def take_money(tx: Transaction, found: Assessment, *, in_turn: bool = False) -> Row[Any]:
    """Takes the amount from a pot, `in_turn` as `budgets.take` has it; raises Refusal(BUDGET_EXHAUSTED)."""
    assert found.decision.worth is not None
    place = (found.programme_id, found.decision.group, found.today)
    return budgets.take(tx, *place, found.decision.worth.amount, found.place, in_turn=in_turn)


def take_if_granted(
    tx: Transaction, found: Assessment, *, in_turn: bool = False
) -> tuple[Row[Any] | None, Assessment]:
    """Takes the amount where rules grant it, `in_turn` as above; returns the pot, None without a grant, and
    the assessment as it is then: somebody else may have taken the last of the money since."""
    if found.decision.state[0] is not ApplicationState.GRANTED:
        return None, found
    try:
        return take_money(tx, found, in_turn=in_turn), found
    except Refusal:
        return None, found.without_money()


def decide_by_rules(tx: Transaction, found: Assessment, learner: str) -> tuple[Row[Any], Assessment]:
    """Stores an application of now with what the rules say, and the voucher of a grant; returns its row, and
    the assessment as it is then.

    The money is taken last, because from then on others wait for its pot. Raises Refusal(APPLICATION_OPEN).
    """
    grants = found.decision.state[0] is ApplicationState.GRANTED
    voucher = {"voucher_id": new_id()} if grants else {}
    row = applications.add(tx, {**_said(tx, found, learner), **voucher})
    pot, found = take_if_granted(tx, found, in_turn=True)
    if pot is not None:
        issue(tx, found, learner, str(row.id), voucher["voucher_id"], pot)
    elif grants:
        row = applications.change(tx, str(row.id), {**_said(tx, found, learner), "voucher_id": None})
    return row, found


def _said(tx: Transaction, found: Assessment, learner: str) -> dict[str, Any]:
    return {**decision_values(found, learner), **outcome_values(found, tx.now)}


def issue(
    tx: Transaction, found: Assessment, learner: str, application: str, voucher: str, pot: Row[Any]
) -> None:
    """Makes the voucher, books it and tells; `application` and `voucher` are ids, the first is stored.

    Others wait for the pot meanwhile: once the chain is locked, all goes with the commit.
    """
    last_day = _last_day(tx, found, pot)
    head = ledger.lock_head_of(tx, found.rules.currency, f"vouchers/{voucher}")
    values = voucher_values(tx, found, learner, application, voucher, pot, head.shard, last_day)
    ledger.post(tx, head, _made(tx, values, pot))


def make(
    tx: Transaction, found: Assessment, learner: str, application: str, voucher: str, pot: Row[Any]
) -> tuple[int, Booking]:
    """Makes the voucher and tells; returns the booking, still to be posted, with the number of its chain."""
    shard = ledger.shard_for(tx, found.rules.currency, f"vouchers/{voucher}")
    last_day = _last_day(tx, found, pot)
    values = voucher_values(tx, found, learner, application, voucher, pot, shard, last_day)
    return shard, _made(tx, values, pot)


def _last_day(tx: Transaction, found: Assessment, pot: Row[Any]) -> date | None:
    within = found.rules.version.window_rule.within_budget_period
    return budgets.last_day(tx, pot.id) if within else None


def _made(tx: Transaction, values: dict[str, Any], pot: Row[Any]) -> Booking:
    vouchers.add(tx, values)
    tx.publish(issued(values))
    return issue_booking(values, pot)


def voucher_values(
    tx: Transaction,
    found: Assessment,
    learner: str,
    application: str,
    voucher: str,
    pot: Row[Any],
    shard: int,
    last_day: date | None,
) -> dict[str, Any]:
    """Returns the columns of a new voucher, whose money is booked in the chain `shard`.

    `last_day`: of the budget that pays for it, None where the rules do not end vouchers with it.
    """
    assert found.decision.worth is not None
    amount, expires = found.decision.worth.amount, found.rules.expiry(tx.now)
    limit = found.rules.period_limit(last_day) if last_day else None
    return {
        "id": voucher,
        "learner": learner,
        "programme_id": found.programme_id,
        "version_number": found.number,
        "application_id": application,
        "course": found.offer.course if found.offer else "",
        "pot_id": pot.id,
        "shard": shard,
        "currency": found.rules.currency,
        "cover_percent": found.decision.cover,
        "state": int(VoucherState.ISSUED),
        "value_cents": amount,
        "available_cents": amount,
        "order_until": found.rules.order_limit(tx.now),
        "expires_at": min(expires, limit) if limit else expires,
        "created_at": tx.now,
    }


def issue_booking(values: dict[str, Any], pot: Row[Any]) -> Booking:
    """Returns the booking of a new voucher's value."""
    return bookings.issue(new_id(), pot.name, f"vouchers/{values['id']}", values["value_cents"])


def issued(values: dict[str, Any]) -> events_pb2.VoucherIssued:
    """Returns the event of a new voucher."""
    event = events_pb2.VoucherIssued(
        voucher=f"vouchers/{values['id']}",
        learner=values["learner"],
        programme=f"programmes/{values['programme_id']}",
        value=money(values["value_cents"], values["currency"]),
        sandbox=is_sandbox(values["currency"]),
    )
    event.expire_time.FromDatetime(values["expires_at"])
    return event


def issue_code(app: VouchersApp, tx: Transaction, voucher_id: str) -> str:
    """Gives a voucher a new code and returns it: only its HMAC is kept. Raises Refusal: NOT_FOUND,
    WRONG_STATE."""
    code = codes.new_code()
    row = vouchers.set_code(tx, voucher_id, codes.code_hmac(app.code_key, code))
    need(VoucherState(row.state), LIVE)
    voucher_changes.note(tx, voucher_id, row.shard, Kind.CODE_ISSUED)
    return code
