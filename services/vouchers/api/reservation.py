"""How value of a voucher is set aside for a session."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2, programme_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.db.wire import Call
from services.platform.errors import Refusal
from services.vouchers.api.redemption_messages import message_of
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings, codes
from services.vouchers.domain.amounts import Funded, spendable
from services.vouchers.domain.builtin import priced
from services.vouchers.domain.money import checked_cents, money
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.sandbox import is_sandbox, keep_apart
from services.vouchers.relationships import learner_of
from services.vouchers.shortages import Lists, pays
from services.vouchers.store import attempts, ledger, names, offers, rebookings, redemptions, vouchers


def reserve(
    app: VouchersApp, tx: Transaction, request: pb.ReserveRedemptionRequest, *, rebooked: bool = False
) -> pb.Redemption:
    """Sets the amount aside and fixes the price; raises the refusals that the contract names.

    `rebooked`: a like course takes the place of the one that the voucher was granted for; limits of time were
    kept then.
    """
    row = _locked(app, tx, request)
    rules = app.rules(tx, row.programme_id, row.version_number)
    offer = _bookable(tx, row, rules, rebooked=rebooked)
    asked = checked_cents("amount", request.amount, row.currency) if request.HasField("amount") else 0
    amount = _amount(tx, row, rules, offer, asked)
    voucher = vouchers.voucher_of(row).reserve(amount, tx.now, rebooked=rebooked)
    redemption = new_id()
    values = {
        "id": redemption,
        "learner": row.learner,
        "programme_id": row.programme_id,
        "version_number": row.version_number,
        "course": offer.course,
        "session": offer.session,
        "organisation": offer.organisation,
        "price": offer.price,
        "amount": amount,
        "authorise_until": rules.authorise_limit(tx.now),
    }
    booking = bookings.reserve(new_id(), f"vouchers/{voucher.id}", f"redemptions/{redemption}", amount)
    redemptions.reserve(tx, ledger.head_of(row), voucher, booking, values)
    _tell(tx, values, voucher.id, row.currency)
    return message_of(app, tx, {**values, **_fresh(tx, row, values)})


def reserving(request: pb.ReserveRedemptionRequest) -> list[Call]:
    """Returns the lock that can be sent with BEGIN: not by code, where tries are counted first."""
    if request.WhichOneof("credential") != "voucher":
        return []
    voucher = names.uuid_if_any(request.voucher, "vouchers")
    return [redemptions.LOCK_BY_VOUCHER(voucher=voucher, session=request.session)] if voucher else []


def _locked(app: VouchersApp, tx: Transaction, request: pb.ReserveRedemptionRequest) -> Any:
    """Finds and locks the voucher: by name only for its learner, by code for whoever was given it."""
    if request.WhichOneof("credential") == "voucher":
        voucher_id = names.uuid_in(request.voucher, "vouchers")
        row = redemptions.lock_for_reservation(tx, voucher_id, request.session)
        if row.learner != learner_of(tx.principal):
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        keep_apart(row.currency)
        return row
    counted = attempts.budgets(app.code_key, tx.principal)
    attempts.check(tx, counted)
    try:
        hmac = codes.code_hmac(app.code_key, codes.normalise(request.code))
        found = redemptions.lock_by_code(tx, hmac, request.session)
        if found is None:
            raise Refusal(reason_pb2.REASON_VOUCHER_CODE_INVALID)
    except Refusal:
        # After the look-up, unlike the tries at a learner's word: a right code of 75 bits is not guessed, and
        # reserving does not wait for a second connection.
        attempts.count(app.side_engine, counted)
        raise
    return found


def _bookable(tx: Transaction, row: Row[Any], rules: Rules, *, rebooked: bool) -> Offer:
    """Returns the offer that the voucher may be spent on; raises why it may not."""
    if row.session is None or not row.listed or row.removed:
        raise Refusal(reason_pb2.REASON_SESSION_UNKNOWN)
    if row.apply_until is not None and row.apply_until < tx.today:
        last_day = row.apply_until.isoformat()
        detail = f"The last day to enrol in it was {last_day}."
        raise Refusal(reason_pb2.REASON_SESSION_UNKNOWN, detail, metadata={"apply_until": last_day})
    offer = offers.offer_of(row)
    if offer.price is None:
        raise Refusal(reason_pb2.REASON_SESSION_PRICE_UNKNOWN)
    if not priced(rules, offer):
        raise Refusal(reason_pb2.REASON_CURRENCY_MISMATCH)
    required = rules.version.course_rule.accreditation_required
    if required and not offer.accredited_on(tx.today):
        raise Refusal(reason_pb2.REASON_PROVIDER_NOT_ACCREDITED)
    if row.barred:
        raise Refusal(reason_pb2.REASON_PROVIDER_SANCTIONED)
    if not _allowed(tx, row, rules, offer, rebooked=rebooked):
        raise Refusal(reason_pb2.REASON_VOUCHER_NOT_FOR_SESSION)
    if not rebooked and not is_sandbox(row.currency):
        _need_in_window(tx, row, rules, offer)
    return offer


def _need_in_window(tx: Transaction, row: Row[Any], rules: Rules, offer: Offer) -> None:
    """Raises Refusal(SESSION_OUTSIDE_WINDOW) for a session whose first day is known and too early or late.

    What was applied for was asked for then, however long the decision took; what is chosen now, now.
    """
    if offer.start is None:
        return
    meant = offer.session == row.applied_session
    earliest = rules.earliest_start(row.applied_on if meant else tx.today)
    latest = rules.latest_start(tx.now, row.expires_at)
    if not earliest <= offer.start <= latest:
        days = {"first_day": offer.start, "earliest": earliest, "latest": latest}
        metadata = {name: day.isoformat() for name, day in days.items()}
        raise Refusal(reason_pb2.REASON_SESSION_OUTSIDE_WINDOW, metadata=metadata)


def _amount(tx: Transaction, row: Row[Any], rules: Rules, offer: Offer, asked: int) -> int:
    """Returns the cents to set aside: `asked`, or for 0 all that the voucher holds and the session may take.

    Raises Refusal: AMOUNT_TOO_HIGH, SESSION_FUNDED when vouchers of the learner pay all of it already,
    VOUCHER_NOT_FOR_SESSION when the learner's own share is all of it.
    """
    assert offer.price is not None
    share = next((group.share for group in rules.groups if group.code == row.target_group), 0)
    alone = rules.version.amount_rule.no_double_funding
    most = partial(spendable, offer.price, row.cover_percent, share, alone=alone)
    limit = most(Funded())
    if not limit:
        raise Refusal(reason_pb2.REASON_VOUCHER_NOT_FOR_SESSION)
    amount = asked or min(limit, row.available_cents)
    # A voucher that pays no more in all than a session may take needs no look at what it paid for which; one
    # that does not hold the amount is refused for that.
    beyond = row.has_others or row.reserved_cents + row.spent_cents + amount > limit
    if beyond and 0 < amount <= row.available_cents:
        limit = most(redemptions.funded(tx, row.learner, row.programme_id, offer.session))
        if not limit:
            raise Refusal(reason_pb2.REASON_SESSION_FUNDED)
        amount = asked or min(limit, row.available_cents)
    if amount > limit:
        raise Refusal(reason_pb2.REASON_AMOUNT_TOO_HIGH, metadata={"limit_cents": str(limit)})
    return amount


def _allowed(tx: Transaction, row: Row[Any], rules: Rules, offer: Offer, *, rebooked: bool) -> bool:
    if rules.version.scope == programme_pb2.ProgrammeVersion.SCOPE_COURSE:
        meant = rebooked or offer.course == row.granted_course
        if not meant and not _replaces(tx, row, offer):
            return False
        if meant and not rules.version.shortage_rule.check_at_reservation:
            return True
    return pays(Lists(tx), rules, offer, tx.today)


def _replaces(tx: Transaction, row: Row[Any], offer: Offer) -> bool:
    """True when the offer takes the place of one that was cancelled, or whose provider was delisted, before
    anything was booked."""
    return rebookings.replaces(tx, str(row.voucher_id), offer.session, offer.currency, tx.today)


def _fresh(tx: Transaction, row: Row[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Returns the columns that a new row has beside those written."""
    return {
        "voucher_id": row.voucher_id,
        "currency": row.currency,
        "state": 1,
        "price_cents": values["price"],
        "amount_cents": values["amount"],
        "accepted_cents": 0,
        "clawed_cents": 0,
        "taken_cents": 0,
        "part_of": None,
        "instalment": 0,
        "end_reason": 0,
        "evidence": [],
        "release_at": None,
        "no_show_at": None,
        "created_at": tx.now,
        "updated_at": tx.now,
        "version": 1,
    }


def _tell(tx: Transaction, values: dict[str, Any], voucher: str, currency: str) -> None:
    ref = events_pb2.RedemptionRef(
        redemption=f"redemptions/{values['id']}",
        voucher=f"vouchers/{voucher}",
        learner=values["learner"],
        course=values["course"],
        session=values["session"],
        organisation=values["organisation"],
        sandbox=is_sandbox(currency),
    )
    tx.publish(events_pb2.RedemptionReserved(ref=ref, amount=money(values["amount"], currency)))
