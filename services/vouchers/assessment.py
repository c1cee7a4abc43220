"""Gathers what a decision rests on, from the store, and lets the domain decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.app import VouchersApp
from services.vouchers.domain import shortage
from services.vouchers.domain.eligibility import Decision, History, decide
from services.vouchers.domain.facts import Fact
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.outcomes import Outcome, Result
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.shortage import Entry
from services.vouchers.store import applications, budgets, facts, names, offers, programmes


@dataclass(frozen=True)
class Assessment:
    """A decision with everything it rests on: enough to replay it."""

    programme_id: str
    number: int
    rules: Rules
    offer: Offer
    shortage_version: str
    entry: Entry | None
    history: History
    today: date
    decision: Decision


def assess(
    app: VouchersApp,
    tx: Transaction,
    learner: str,
    programme: str,
    session: str,
    declared: Sequence[Fact] = (),
    *,
    number: int | None = None,
) -> Assessment:
    """Decides on stored and declared facts by the version in force today (UTC day of the database).

    `number`: the version that an application has pinned before, to decide by that instead.
    Raises Refusal: NOT_FOUND, PROGRAMME_NOT_ACTIVE, SESSION_UNKNOWN.
    """
    today = tx.now.date()
    row = programmes.get(tx, names.last(programme))
    number = number or row.active_number
    if number is None:
        raise Refusal(reason_pb2.REASON_PROGRAMME_NOT_ACTIVE)
    rules = app.rules(tx, row.id, number)
    offer = offers.find(tx, session)
    if offer is None:
        raise Refusal(reason_pb2.REASON_SESSION_UNKNOWN)
    version, entry = shortage_match(tx, rules, offer, today)
    history = applications.history(tx, learner, row.id, session, rules.period_start(today))
    known = [*facts.read(tx, learner), *declared]
    decision = decide(rules, known, offer, entry, history, today)
    decision = _with_budget(tx, row.id, decision, today)
    return Assessment(row.id, number, rules, offer, version, entry, history, today, decision)


def shortage_match(tx: Transaction, rules: Rules, offer: Offer, today: date) -> tuple[str, Entry | None]:
    """Returns the list version in force and the entry that the course meets; empty without a rule."""
    if not rules.version.HasField("shortage_rule"):
        return "", None
    rule = rules.version.shortage_rule
    version = offers.version_in_force(tx, rule.shortage_list, today)
    entry = shortage.best_entry(
        offers.entries_for(tx, version, offer.occupations),
        offer.occupations,
        place=offer.nuts,
        region=rule.nuts_code,
        min_severity=rule.min_severity,
    )
    return version, entry


def _with_budget(tx: Transaction, programme_id: str, decision: Decision, today: date) -> Decision:
    """Adds whether some pot holds the amount; the pot itself decides again, locked, when money is taken."""
    if decision.worth is None or decision.worth.amount <= 0:
        return decision
    enough = budgets.holds_enough(tx, programme_id, decision.group, today, decision.worth.amount)
    result = Result(
        "budget",
        Outcome.of(enough),
        reason_code="BUDGET_EXHAUSTED",
        texts={"en": "A pot of the programme holds enough money."},
    )
    return replace(decision, results=(*decision.results, result))


def offer_document(offer: Offer) -> dict[str, Any]:
    """Returns an offer in the form kept with an application."""
    return {
        "session": offer.session,
        "course": offer.course,
        "organisation": offer.organisation,
        "kind": offer.kind,
        "eqf_level": offer.eqf_level,
        "occupations": [[item.uri, item.isco] for item in offer.occupations],
        "start": offer.start.isoformat() if offer.start else None,
        "end": offer.end.isoformat() if offer.end else None,
        "price": offer.price,
        "currency": offer.currency,
        "nuts": offer.nuts,
        "accredited": offer.accredited,
        "accredited_until": offer.accredited_until.isoformat() if offer.accredited_until else None,
    }
