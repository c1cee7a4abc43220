"""Gathers what a decision rests on, from the store, and lets the domain decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.app import VouchersApp
from services.vouchers.domain.eligibility import Decision, History, decide
from services.vouchers.domain.facts import Fact
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.sandbox import keep_apart
from services.vouchers.domain.shortage import Entry
from services.vouchers.shortages import Lists, shortage_match
from services.vouchers.store import applications, budgets, facts, names, offers, programmes


class Assessment(NamedTuple):
    """A decision with everything it rests on: enough to replay it. `pot_held`: whether some pot holds the
    amount, None when there is no amount. `place`: on the waiting list; None comes behind all who wait.
    `offer`: None where no session was chosen yet; then `allocation` names what the voucher comes from, and
    `price` what training may cost, in cents, None for the face value."""

    programme_id: str
    number: int
    rules: Rules
    offer: Offer | None
    shortage_version: str
    entry: Entry | None
    history: History
    today: date
    pot_held: bool | None
    decision: Decision
    place: int | None = None
    allocation: str = ""
    price: int | None = None

    def without_money(self) -> Assessment:
        """Returns the assessment after all that the pots no longer hold the amount."""
        return self._replace(pot_held=False, decision=self.decision.with_budget(held=False))


def assess(
    app: VouchersApp,
    tx: Transaction,
    learner: str,
    programme: str,
    session: str,
    declared: Sequence[Fact] = (),
    *,
    number: int | None = None,
    applied: date | None = None,
    place: int | None = None,
    sandbox: bool = False,
) -> Assessment:
    """Decides on stored and declared facts by the version that is in force for the learner today (legal
    day, by the database's clock).

    `number`: the version that an application has pinned before, to decide by that instead; `applied`: the
    day on which that was. `place`: on the waiting list; money that others wait for before it is not there.
    `sandbox`: for a made-up learner, on sandbox programmes and on no other.
    Raises Refusal: NOT_FOUND, SANDBOX_APART, PROGRAMME_NOT_ACTIVE, SESSION_UNKNOWN, PROVIDER_SANCTIONED.
    """
    today = tx.today
    row = programmes.get(tx, names.last(programme))
    keep_apart(row.currency, sandbox=sandbox)
    if number is None:
        number = _in_force(app, tx, row, learner)
    rules = app.rules(tx, row.id, number)
    offer = offers.find(tx, session)
    if offer is None:
        raise Refusal(reason_pb2.REASON_SESSION_UNKNOWN)
    version, entry = shortage_match(Lists(tx), rules, offer, today)
    history = applications.history(tx, learner, row.id, session, rules)
    known = [*facts.read(tx, learner), *declared]
    decision = decide(rules, known, offer, entry, history, today, applied)
    held = _pot_held(tx, row.id, decision, today, place)
    return Assessment(
        row.id,
        number,
        rules,
        offer,
        version,
        entry,
        history,
        today,
        held,
        decision.with_budget(held=held),
        place,
    )


def _in_force(app: VouchersApp, tx: Transaction, programme: Row[Any], learner: str) -> int:
    """Returns the number of the version that decides for a learner today: that in force, or the one of an
    earlier grant where it is for newcomers. Raises Refusal(PROGRAMME_NOT_ACTIVE)."""
    active: int | None = programme.active_number
    if active is None:
        raise Refusal(reason_pb2.REASON_PROGRAMME_NOT_ACTIVE)
    if not app.rules(tx, programme.id, active).for_newcomers:
        return active
    return applications.last_versions(tx, [learner], programme.id).get(learner, active)


def _pot_held(
    tx: Transaction, programme_id: str, decision: Decision, today: date, place: int | None
) -> bool | None:
    """Returns whether some pot holds the amount, None without one; the pot itself decides again, locked, when
    money is taken."""
    if decision.worth is None or decision.worth.amount <= 0:
        return None
    return budgets.holds_enough(tx, programme_id, decision.group, today, decision.worth.amount, place)
