"""Learners whose provider was delisted: another course, or the money back. Whose session is cancelled: the
money back. Shared by calls and jobs.

Locked in this order: the redemption with its voucher and chain, then the offer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from waymark.vouchers.v1 import events_pb2, redemption_pb2

from services.platform.db.transaction import Transaction
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.redemption import NOT_STARTED, UNDER_WAY
from services.vouchers.domain.states import RedemptionState, need
from services.vouchers.releasing import release_reservation
from services.vouchers.shortages import Lists, pays
from services.vouchers.store import rebookings, redemptions

AT_ONCE = 200
MOST = 5  # sessions of an offer
PATIENCE = timedelta(days=14)  # to choose
WHY = redemption_pb2.Redemption.END_REASON_SESSION_CHANGED


def offer(app: VouchersApp, tx: Transaction, redemption: str) -> None:
    """Offers the learner of an open redemption like sessions that the programme pays for; when there are
    none, the money returns to the voucher. Raises Refusal(WRONG_STATE) when it is no longer open."""
    row = redemptions.lock_with_money(tx, redemption)
    need(RedemptionState(row.state), UNDER_WAY)
    if not rebookings.delisted(tx, row.organisation):
        return  # lifted meanwhile
    sessions = _elsewhere(app, tx, row)
    expires = tx.now + PATIENCE
    values = {
        "redemption_id": redemption,
        "state": rebookings.OFFERED if sessions else rebookings.NONE,
        "sessions": sessions,
        "expires_at": expires,
    }
    rebookings.add(tx, values)
    if not sessions:
        give_back(tx, row)
    event = events_pb2.RebookingOffered(
        redemption=f"redemptions/{redemption}",
        learner=row.learner,
        sessions=sessions,
        expire_time=moment(expires) if sessions else None,
    )
    tx.publish(event)


def tell_unbooked(app: VouchersApp, tx: Transaction) -> int:
    """Tells learners with nothing booked, at most AT_ONCE, that the provider their voucher was granted for is
    gone, and what they can book instead; returns how many."""
    rows = rebookings.take_unbooked(tx, AT_ONCE)
    for row in rows:
        event = events_pb2.VoucherProviderDelisted(
            voucher=f"vouchers/{row.id}",
            learner=row.learner,
            organisation=row.organisation,
            session=row.session,
            sessions=_elsewhere(app, tx, row),
            expire_time=moment(row.expires_at),
        )
        tx.publish(event)
    return len(rows)


def expire(tx: Transaction, redemption: str) -> None:
    """Ends an offer that nobody took: the money of an open redemption returns to the voucher, unless its
    provider is delisted no longer, where the training goes on."""
    row = redemptions.lock_with_money(tx, redemption)
    if rebookings.get(tx, redemption, locked=True).state != rebookings.OFFERED:
        return  # taken meanwhile
    gone = row.state in UNDER_WAY and rebookings.delisted(tx, row.organisation)
    if gone:
        give_back(tx, row)
    rebookings.change(tx, redemption, rebookings.EXPIRED if gone else rebookings.ENDED)


def end_cancelled(tx: Transaction, redemption: str) -> None:
    """Gives the money of a redemption back whose session is cancelled; nothing when it takes place after all.
    Raises Refusal(WRONG_STATE) once it has started or ended."""
    row = redemptions.lock_with_money(tx, redemption)
    if row.session_cancelled:
        need(RedemptionState(row.state), NOT_STARTED)
        give_back(tx, row)


def give_back(tx: Transaction, row: Any) -> None:
    """Ends a locked redemption before delivery; its amount is on the voucher again."""
    release_reservation(tx, row, redemptions.redemption_of(row).void(), WHY)


def _elsewhere(app: VouchersApp, tx: Transaction, row: Any) -> list[str]:
    """Returns the sessions to offer instead of that in a redemption's or voucher's row, the soonest first."""
    rules, lists, today = app.rules(tx, row.programme_id, row.version_number), Lists(tx), tx.today
    found = rebookings.like(tx, row.session, row.currency, today)
    return [each.session for each in found if pays(lists, rules, each, today)][:MOST]
