"""The draw of an opening: the seed is revealed, the order fixed, and applications dealt with in it.

Every step is a transaction of its own that begins where the last one has ended, so a process that dies in the
middle is followed by one that goes on: nobody is lost, and nobody dealt with twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.vouchers.api.applications import tell_decided
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import Assessment, assess
from services.vouchers.decisions import decision_values, outcome_values
from services.vouchers.domain import draw
from services.vouchers.domain.draw import DrawOutcome, OpeningState
from services.vouchers.domain.ledger import Booking
from services.vouchers.domain.replay import BESIDE_CLAUSES
from services.vouchers.domain.states import ApplicationState, need
from services.vouchers.domain.waiting import may_wait
from services.vouchers.granting import make, take_if_granted
from services.vouchers.openings import name_of
from services.vouchers.store import applications, facts, ledger, openings, waiting_list

CHUNK = 50  # applications dealt with in one transaction
State = ApplicationState


@dataclass
class _Chunk:
    """What one transaction has done so far. `booked`: bookings with their chains, posted together at its
    end, in the order of the chains."""

    booked: list[tuple[int, Booking]] = field(default_factory=list)
    outcomes: list[DrawOutcome] = field(default_factory=list)


def draw_opening(app: VouchersApp, programme_id: str, number: int) -> None:
    """Draws an opening past its window and deals with every application, however far others have come."""
    with transaction(app) as tx:
        reveal(app, tx, programme_id, number)
    done = False
    while not done:
        with transaction(app) as tx:
            done = deal(app, tx, programme_id, number)


def reveal(app: VouchersApp, tx: Transaction, programme_id: str, number: int) -> None:
    """Fixes the order and reveals the seed; nothing when that has been done, or while the window is open."""
    row = openings.get(tx, programme_id, number, locked=True)
    if row.state != OpeningState.ANNOUNCED or tx.now < row.close_at:
        return
    seed = bytes.fromhex(app.notes.open(name_of(row), row.sealed_seed))
    names = draw.order(seed, (f"applications/{id_}" for id_ in openings.collected(tx, row)))
    openings.rank(tx, [name.rpartition("/")[2] for name in names])
    values = {"seed": seed, "state": int(OpeningState.DRAWN), "drawn_at": tx.now}
    openings.change(tx, row, {**values, "application_count": len(names)})
    event = events_pb2.OpeningDrawn(
        programme=f"programmes/{programme_id}", opening=name_of(row), application_count=len(names)
    )
    tx.publish(event)


def deal(app: VouchersApp, tx: Transaction, programme_id: str, number: int, size: int = CHUNK) -> bool:
    """Deals with the next applications in the order; returns True when none is left, or nothing is drawn."""
    row = openings.get(tx, programme_id, number, locked=True)
    if row.state != OpeningState.DRAWN:
        return True
    members = openings.next_in_order(tx, row, size)
    facts.lock_learners(tx, [member.learner for member in members])
    chunk = _Chunk()
    for member in members:
        outcome = _deal_one(app, tx, str(member.application_id), chunk)
        openings.dealt(tx, str(member.application_id), outcome)
        chunk.outcomes.append(outcome)
    if chunk.booked:
        ledger.post_all(tx, chunk.booked)
    done = row.done_count + len(members)
    over: bool = done == row.application_count
    values = {
        "done_count": done,
        "granted_count": row.granted_count + chunk.outcomes.count(DrawOutcome.GRANTED),
        "waiting_count": row.waiting_count + chunk.outcomes.count(DrawOutcome.WAITING),
        "state": int(OpeningState.DONE if over else OpeningState.DRAWN),
    }
    openings.change(tx, row, values)
    return over


def _deal_one(app: VouchersApp, tx: Transaction, application_id: str, chunk: _Chunk) -> DrawOutcome:
    """Decides one application on what is known now; money that others wait for before it is not there."""
    row = applications.get(tx, application_id, locked=True)
    need(State(row.state), (State.IN_DRAW,))  # dealt with before: then something is wrong, and nothing moves
    programme = f"programmes/{row.programme_id}"
    try:
        applications.need_none_open(tx, row.learner, row.programme_id, row.session)
        found = assess(
            app, tx, row.learner, programme, row.session, number=row.version_number, applied=row.applied_on
        )
    except Refusal as refusal:
        if refusal.reason_name not in BESIDE_CLAUSES:
            raise
        rules = app.rules(tx, row.programme_id, row.version_number)
        values = {
            "state": int(State.REFUSED),
            "reason_codes": [refusal.reason_name],
            "decided_at": tx.now,
            "appeal_until": rules.appeal_until(tx.now),
        }
        tell_decided(tx, applications.change(tx, application_id, values))
        return DrawOutcome.REFUSED
    pot, found = take_if_granted(tx, found)
    if pot is None:
        return _without_money(tx, row, found)
    voucher = new_id()
    granted = _decide(tx, row, found, voucher_id=voucher)
    chunk.booked.append(make(tx, found, row.learner, application_id, voucher, pot))
    tell_decided(tx, granted)
    return DrawOutcome.GRANTED


def _without_money(tx: Transaction, application: Row[Any], found: Assessment) -> DrawOutcome:
    row = _decide(tx, application, found)
    if row.state == State.SUBMITTED:
        return DrawOutcome.REFERRED
    tell_decided(tx, row)
    waits = may_wait(State(row.state), row.reason_codes)
    if not waits or waiting_list.standing(tx, row.learner, row.programme_id):
        return DrawOutcome.REFUSED
    waiting_list.add(tx, row)
    return DrawOutcome.WAITING


def _decide(tx: Transaction, application: Row[Any], found: Assessment, **more: Any) -> Row[Any]:
    """Writes a decision of today; returns the application's new row."""
    values = {**decision_values(found, application.learner), **outcome_values(found, tx.now)}
    return applications.change(tx, str(application.id), {**values, **more})
