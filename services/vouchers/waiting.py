"""Who waits for a programme's money: joining, offers in turn, accepting, leaving. Shared by calls and jobs.

Locks are taken in this order: learner, entry, application, pots, then all chains at once. What an offer holds
is, in the ledger, still the programme's, on an account of the entry: no voucher exists before the learner
says yes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, reason_name
from services.vouchers.api.applications import tell_decided
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import Assessment, assess
from services.vouchers.decisions import decision_values
from services.vouchers.domain import bookings
from services.vouchers.domain.ledger import Booking
from services.vouchers.domain.money import money
from services.vouchers.domain.outcomes import Outcome
from services.vouchers.domain.replay import BESIDE_CLAUSES
from services.vouchers.domain.states import ApplicationState
from services.vouchers.domain.waiting import LACKING, WaitingState, accept_hours, may_wait
from services.vouchers.granting import make, take_money
from services.vouchers.store import applications, budgets, facts, ledger, receivables, waiting_list


def join(tx: Transaction, application_id: str) -> Row[Any]:
    """Puts an application on the list; returns the entry's row. Raises Refusal: NOT_FOUND,
    WAITING_NOT_POSSIBLE, ALREADY_WAITING, APPLICATION_OPEN."""
    row = applications.lock(tx, application_id)
    if not may_wait(ApplicationState(row.state), row.reason_codes):
        raise Refusal(reason_pb2.REASON_WAITING_NOT_POSSIBLE)
    standing = waiting_list.standing(tx, row.learner, row.programme_id)
    if standing:
        raise Refusal(reason_pb2.REASON_ALREADY_WAITING, metadata={"entry": standing})
    applications.need_none_open(tx, row.learner, row.programme_id, row.session)
    return waiting_list.add(tx, row)


def offer(app: VouchersApp, tx: Transaction, entry_id: str) -> bool:
    """Offers money to an entry whose turn it is, or closes it. Returns False when it goes on waiting, or when
    somebody else dealt with it meanwhile."""
    facts.lock_learner(tx, waiting_list.get(tx, entry_id).learner)
    row = waiting_list.lock(tx, entry_id)
    if row.state != WaitingState.WAITING:
        return False
    found, codes = _decided_now(app, tx, row)
    if found is not None and not codes:
        budgets.lock_all(tx, row.programme_id)
        try:
            pot = take_money(tx, found)
        except Refusal:  # somebody else took the last of it since the check above
            codes = LACKING
        else:
            _hold(tx, row, found, pot)
            return True
    if codes == LACKING:
        return False
    _end(tx, waiting_list.change(tx, row, waiting_list.entry_of(row).close(), reason_codes=codes))
    return True


def accept(app: VouchersApp, tx: Transaction, entry_id: str) -> Row[Any]:
    """Takes an offer: the money goes back to its pot and at once, under the pot's lock, to the voucher of a
    decision of today. Returns the entry's row: ACCEPTED, CLOSED, or WAITING again in its old place when more
    is needed now than is there. Raises Refusal: NOT_FOUND, WRONG_STATE, OFFER_EXPIRED."""
    facts.lock_learner(tx, waiting_list.get(tx, entry_id).learner)
    row = waiting_list.lock(tx, entry_id)
    entry = waiting_list.entry_of(row)
    accepted = entry.accept(tx.now)
    booked = [_give_back(tx, row)]
    found, codes = _decided_now(app, tx, row)
    if codes == LACKING:
        after = waiting_list.change(tx, row, entry.back(), offered_cents=0, pot_id=None)
    elif found is None or codes:
        after = _end(tx, waiting_list.change(tx, row, entry.close(), reason_codes=codes))
    else:
        voucher = new_id()
        booked.append(_grant(tx, row, found, voucher))
        after = _end(tx, waiting_list.change(tx, row, accepted, voucher_id=voucher))
    ledger.post_all(tx, booked)
    return after


def lapse(tx: Transaction, entry_id: str) -> None:
    """Ends an offer past its limit. Raises Refusal: NOT_FOUND, WRONG_STATE."""
    row = waiting_list.lock(tx, entry_id)
    entry = waiting_list.entry_of(row).lapse(tx.now)
    ledger.post_all(tx, [_give_back(tx, row)])
    _end(tx, waiting_list.change(tx, row, entry))


def leave(tx: Transaction, entry_id: str) -> Row[Any]:
    """Takes an entry off the list; returns its row. Raises Refusal: NOT_FOUND, WRONG_STATE."""
    row = waiting_list.lock(tx, entry_id)
    entry = waiting_list.entry_of(row).leave()
    if row.held_cents:
        ledger.post_all(tx, [_give_back(tx, row)])
    return _end(tx, waiting_list.change(tx, row, entry))


def _decided_now(app: VouchersApp, tx: Transaction, row: Row[Any]) -> tuple[Assessment | None, list[str]]:
    """Decides the application of an entry by its version and on what is known now; returns that with the
    codes of what speaks against a grant by rules, and the word of a caseworker who found money lacking alone;
    none when nothing does."""
    application = applications.get(tx, str(row.application_id), locked=True)
    programme, number = f"programmes/{row.programme_id}", application.version_number
    try:
        applications.need_none_open(tx, row.learner, row.programme_id, application.session)
        found = assess(
            app,
            tx,
            row.learner,
            programme,
            application.session,
            number=number,
            applied=application.applied_on,
            place=row.place,
        )
    except Refusal as refusal:
        if refusal.reason_name not in BESIDE_CLAUSES:
            raise
        return None, [refusal.reason_name]
    if _over(found):
        return found, [reason_name(reason_pb2.REASON_SESSION_OUTSIDE_WINDOW)]
    state, codes = found.decision.state
    if state is ApplicationState.SUBMITTED:  # rules alone do not decide
        # Who refused an appeal had reasons that the codes, which are those of the first decision, do not say.
        looked_at = bool(application.decided_by) and not application.appeal_decided_by
        return found, _unsure(found, looked_at=looked_at)
    return found, codes


def _unsure(found: Assessment, *, looked_at: bool) -> list[str]:
    """Returns the codes of what verified facts do not decide: no ground for a grant, unless a caseworker has
    `looked_at` it, then of what fails by now, as that they have not seen."""
    unsure = [each for each in found.decision.results if not (each.verified and each.decided)]
    if looked_at and found.decision.worth is not None:
        unsure = [each for each in unsure if each.outcome is Outcome.FAILED]
    return list(dict.fromkeys(each.reason_code for each in unsure))


def _over(found: Assessment) -> bool:
    """True when the session has ended while the learner waited, and applying for it now would be too late."""
    offer = found.offer
    if offer is None or offer.start is None or offer.end is None:
        return False
    return offer.end < found.today and offer.start < found.rules.earliest_start(found.today)


def _hold(tx: Transaction, row: Row[Any], found: Assessment, pot: Row[Any]) -> None:
    """Sets money that left a pot aside for an entry, and tells."""
    assert found.decision.worth is not None
    amount = found.decision.worth.amount
    until = tx.now + timedelta(hours=accept_hours(found.rules))
    entry = waiting_list.entry_of(row).offer(amount, until)
    ledger.post_all(tx, [(_chain(tx, row), bookings.offer(new_id(), pot.name, _name(row), amount))])
    group = found.decision.group
    waiting_list.change(tx, row, entry, pot_id=pot.id, offered_cents=amount, target_group=group)
    event = events_pb2.WaitingListOfferMade(
        application=f"applications/{row.application_id}",
        waiting_list_entry=_name(row),
        learner=row.learner,
        amount=money(amount, row.currency),
    )
    event.accept_until.FromDatetime(until)
    tx.publish(event)


def _give_back(tx: Transaction, row: Row[Any]) -> tuple[int, Booking]:
    """Gives what an offer holds to its pot, and keeps the programme's pots locked; returns the booking, still
    to be posted, with the number of its chain."""
    pots = budgets.lock_all(tx, row.programme_id)
    receivables.give_to_pot(tx, row.pot_id, row.held_cents)
    booking = bookings.end_offer(new_id(), pots[str(row.pot_id)], _name(row), row.held_cents)
    return _chain(tx, row), booking


def _grant(tx: Transaction, row: Row[Any], found: Assessment, voucher: str) -> tuple[int, Booking]:
    """Grants the application of an entry; returns the booking as above. `voucher`: the new one's id."""
    pot = take_money(tx, found)
    values = {**decision_values(found, row.learner), "state": int(ApplicationState.GRANTED)}
    said = {"reason_codes": [], "decided_at": tx.now, "voucher_id": voucher}
    if applications.get(tx, str(row.application_id)).decided_by:  # whose reason was one to refuse
        said |= {"automatic": False, "sealed_note": None}
    application = applications.change(tx, str(row.application_id), {**values, **said})
    booking = make(tx, found, row.learner, str(row.application_id), voucher, pot)
    tell_decided(tx, application)
    return booking


def _end(tx: Transaction, row: Row[Any]) -> Row[Any]:
    """Tells that an entry has ended; returns its row."""
    tx.publish(
        events_pb2.WaitingListEntryEnded(
            application=f"applications/{row.application_id}",
            waiting_list_entry=_name(row),
            learner=row.learner,
            state=WaitingState(row.state).name,
        )
    )
    return row


def _chain(tx: Transaction, row: Row[Any]) -> int:
    return ledger.shard_for(tx, row.currency, _name(row))


def _name(row: Row[Any]) -> str:
    return f"waitingListEntries/{row.id}"
