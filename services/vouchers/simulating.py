"""Tries a version of the rules on the decided applications of its programme, a chunk a transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import ParseDict
from sqlalchemy import Row

from services.platform.db.transaction import Transaction
from services.platform.operations import store as operations
from services.platform.operations.runner import Chunk
from services.vouchers.app import VouchersApp
from services.vouchers.domain import facts, offers
from services.vouchers.domain.eligibility import History, decide
from services.vouchers.domain.programme import Rules, Version, compile_rules
from services.vouchers.domain.replay import UNREADABLE, by_person, state_of
from services.vouchers.domain.simulation import Outcome, Tally
from services.vouchers.domain.states import ApplicationState
from services.vouchers.shortages import Lists
from services.vouchers.store import programmes, simulations

KIND = "simulation"
SIZE = 500  # applications of a chunk


def start(tx: Transaction, programme_id: str, number: int) -> Row[Any]:
    """Queues a simulation; its rules stay as they are now, whatever becomes of the draft.

    Raises Refusal: NOT_FOUND, RULE_INVALID.
    """
    version = programmes.get_version(tx, programme_id, number)
    compile_rules(_name(programme_id, number), version.currency, ParseDict(version.rules, Version()))
    argument = {
        "programme": programme_id,
        "number": number,
        "currency": version.currency,
        "rules": version.rules,
        "until": tx.now.isoformat(),
    }
    return operations.add(tx, KIND, argument, simulations.count_decided(tx, programme_id))


def simulate(_: VouchersApp, tx: Transaction, row: Row[Any]) -> Chunk:
    """Does the next chunk of a simulation."""
    asked = row.argument
    after = (row.place["created"], row.place["id"]) if row.place else None
    until = tx.now.fromisoformat(asked["until"])
    found = simulations.decided(tx, asked["programme"], until, after, SIZE)
    tally = Tally.restore(row.result)
    retry = _retrial(tx, asked)
    changes = []
    for application in found:
        before = _before(application)
        try:
            after_all = retry(application)
        except UNREADABLE:
            tally.unreadable += 1
            continue
        if tally.add(before, after_all):
            changes.append(_change(row.id, application.id, before, after_all))
    simulations.keep(tx, changes)
    last = len(found) < SIZE
    place = {"created": found[-1].created_at.isoformat(), "id": found[-1].id} if found else row.place
    total = row.done + len(found) if last else None
    return Chunk(place, tally.keep(), len(found), last, total)


def _retrial(tx: Transaction, asked: dict[str, Any]) -> Callable[[Row[Any]], Outcome]:
    name = _name(asked["programme"], asked["number"])
    rules = compile_rules(name, asked["currency"], ParseDict(asked["rules"], Version()))
    lists = Lists(tx)

    def decided_anew(row: Row[Any]) -> Outcome:
        earlier = row.history.get("grants", 0) and row.version_number != asked["number"]
        if earlier and rules.for_newcomers:
            return _before(row)
        known, offer, history = facts.restore(row.facts), offers.restore(row.offer), History(**row.history)
        entry = lists.matching_entry(rules, offer, _list_version(lists, rules, row))
        applied, price = row.applied_on, row.offer.get("price")
        decision = decide(rules, known, offer, entry, history, row.decided_on, applied, price)
        decision = decision.with_budget(held=row.pot_held)
        stored = ApplicationState(row.state)
        state, codes = state_of(
            decision, stored, row.reason_codes, by_person=by_person(row), left_draw=row.left_draw
        )
        worth = decision.worth
        return Outcome.of(state, worth.amount if worth else 0, worth.share if worth else 0, codes)

    return decided_anew


def _list_version(lists: Lists, rules: Rules, row: Row[Any]) -> str:
    """Returns the version that was pinned where the rules read the same list, else the one of the day."""
    if not rules.version.HasField("shortage_rule"):
        return ""
    wanted = rules.version.shortage_rule.shortage_list
    if str(row.shortage_version).startswith(f"{wanted}/"):
        return str(row.shortage_version)
    return lists.in_force(wanted, row.decided_on)


def _before(row: Row[Any]) -> Outcome:
    return Outcome.of(ApplicationState(row.state), row.amount_cents, row.share_cents, row.reason_codes)


def _change(operation: str, application: str, before: Outcome, after: Outcome) -> dict[str, Any]:
    return {
        "operation_id": operation,
        "application_id": application,
        "before": int(before.state),
        "after": int(after.state),
        "before_cents": before.amount,
        "after_cents": after.amount,
        "reason_codes": list(after.reason_codes),
    }


def _name(programme_id: str, number: int) -> str:
    return f"programmes/{programme_id}/versions/{number}"
