"""Looks at what was accepted, by rules that are data, before its money can be released; raises alerts.

Acceptance itself does nothing for it: a job looks every few seconds, and release looks first at what is due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from google.protobuf.json_format import ParseDict
from sqlalchemy import Row
from waymark.vouchers.v1 import alert_pb2, events_pb2

from services.platform.days import day_of
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.app import VouchersApp
from services.vouchers.domain.monitoring import NO_MEDIAN, Accepted, Hit, Median, Message, Rule, kind_number
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.store import alerts, holds, monitoring

AT_ONCE = 1000  # redemptions of one transaction
MOST_LINKED = 50  # providers that an alert names
Kind = alert_pb2.Alert.Kind


def check_accepted(app: VouchersApp, tx: Transaction, limit: int = AT_ONCE) -> int:
    """Lets every rule in force look at accepted redemptions that none has looked at; returns how many it
    were. What an alert stops is stopped in the same transaction. Sandbox ones count as looked at."""
    rows = monitoring.unchecked(tx, limit)
    if not rows:
        return 0
    rules = rules_in_force(app, tx)
    real = [row for row in rows if not is_sandbox(row.currency)]
    hits = sorted(_hits(tx, rules, real), key=lambda hit: hit[:2]) if rules and real else []
    for _, _, rule, row, hit in hits:  # in one order, or two who look at once could wait for each other
        raise_by_rule(app, tx, rule, row, hit)
    monitoring.mark_checked(tx, [str(row.id) for row in rows])
    return len(rows)


def rules_in_force(app: VouchersApp, tx: Transaction) -> list[Rule]:
    """Returns the active versions of rules that are not switched off."""
    rules = [rule_of(app, row) for row in monitoring.active(tx)]
    return [rule for rule in rules if not rule.message.off]


def rule_of(app: VouchersApp, row: Row[Any]) -> Rule:
    """Returns a version's row as rule, with its seed."""
    name = f"monitoringRules/{row.code}/versions/{row.number}"
    seed = bytes.fromhex(app.notes.open(name, row.sealed_seed))
    return Rule(row.code, row.number, ParseDict(row.rule, Message()), seed)


def raise_by_rule(app: VouchersApp, tx: Transaction, rule: Rule, row: Any, hit: Hit) -> None:
    """Raises a rule's alert about a redemption (its row), with the hold that the rule asks for; nothing while
    one of the same rule about the same target is open."""
    redemption = f"redemptions/{row.id}"
    values = {
        "rule_code": rule.code,
        "rule_number": rule.number,
        "kind": kind_number(rule.kind, Kind),
        "target": rule.target(redemption, row.course, row.organisation),
        "redemption_id": row.id,
        "organisation": row.organisation,
        "measured": hit.measured,
        "allowed": hit.allowed,
        "linked": list(hit.others[:MOST_LINKED]),
        "raised_by": rule.name,
    }
    raise_alert(app, tx, values, held=rule.message.hold_on != Message.HOLD_ON_NOTHING)


def raise_alert(app: VouchersApp, tx: Transaction, values: dict[str, Any], *, held: bool) -> str:
    """Inserts an alert with its hold and tells of it; returns its id, empty when one stands already."""
    alert = values.setdefault("id", new_id())
    if not alerts.add(tx, values):
        return ""
    if held:
        hold = new_id()
        reason = app.notes.seal(f"holds/{hold}", f"alerts/{alert}")
        holds.add(
            tx,
            {
                "id": hold,
                "target": values["target"],
                "sealed_reason": reason,
                "placed_by": values["raised_by"],
                "alert_id": alert,
            },
        )
    tx.publish(
        events_pb2.AlertRaised(
            alert=f"alerts/{alert}",
            kind=Kind.Name(values["kind"]).removeprefix("KIND_"),
            target=values["target"],
            organisation=values["organisation"],
            holds=held,
        )
    )
    return str(alert)


def _hits(
    tx: Transaction, rules: Sequence[Rule], rows: Sequence[Row[Any]]
) -> Iterator[tuple[str, str, Rule, Row[Any], Hit]]:
    """Yields what hits: code of the rule and target to sort by, rule, redemption, what was measured."""
    for row, it in zip(rows, _compared(tx, rules, rows), strict=True):
        for rule in rules:
            hit = rule.look(it) if rule.concerns(it.programme) else None
            if hit:
                yield rule.code, rule.target(it.redemption, it.course, it.organisation), rule, row, hit


def _compared(tx: Transaction, rules: Sequence[Rule], rows: Sequence[Row[Any]]) -> Iterator[Accepted]:
    """Yields each redemption with what the rules in force compare it with; one statement for each kind of
    rule that asks for more than the redemption itself says."""
    kinds = {rule.kind for rule in rules}
    providers = {row.organisation for row in rows}
    medians = _medians(tx, rows) if "amount" in kinds else {}
    days = Counter(_days(tx, rows)) if "speed" in kinds else Counter[tuple[str, date]]()
    sharing = monitoring.sharing(tx, providers) if "shared_account" in kinds else {}
    neighbours = monitoring.neighbours(tx, providers) if "shared_address" in kinds else {}
    newcomers = _Newcomers(tx, rules, rows)
    homes = monitoring.residences(tx, {row.learner for row in rows}, tx.today) if "distance" in kinds else {}
    for row in rows:
        day = (row.organisation, day_of(row.delivered_at) if row.delivered_at else date.min)
        days[day] += 1
        yield Accepted(
            redemption=f"redemptions/{row.id}",
            programme=row.programme_id,
            course=row.course,
            organisation=row.organisation,
            currency=row.currency,
            cents=row.accepted_cents,
            started=row.started_at,
            delivered=row.delivered_at,
            nuts=row.nuts_code,
            residence=homes.get(row.learner, ""),
            median=medians.get((row.course, row.currency), NO_MEDIAN),
            on_the_day=days[day] if row.delivered_at else 0,
            sharing=sharing.get(row.organisation, ()),
            neighbours=neighbours.get(row.organisation, ()),
            **newcomers.with_one_more(row),
        )


class _Newcomers:
    """What was accepted of providers that are new by some rule, counted on with each row."""

    def __init__(self, tx: Transaction, rules: Sequence[Rule], rows: Sequence[Row[Any]]) -> None:
        self._first: dict[str, datetime] = {}
        self._cents, self._count = Counter[tuple[str, str]](), Counter[str]()
        longest = max((rule.message.new_provider.within_days for rule in rules), default=0)
        if not longest:
            return
        first = {row.organisation: row.accepted_at for row in sorted(rows, key=_accepted, reverse=True)}
        first |= monitoring.first_accepted(tx, first)
        since = tx.now - timedelta(days=longest)
        self._first = {who: moment for who, moment in first.items() if moment > since}
        for row in monitoring.taken(tx, self._first) if self._first else ():
            self._cents[row.organisation, row.currency] = row.cents
            self._count[row.organisation] += row.found

    def with_one_more(self, row: Row[Any]) -> dict[str, Any]:
        """Returns what is told of the provider once a redemption, its row, is counted too."""
        if row.organisation not in self._first:
            return {}
        self._cents[row.organisation, row.currency] += row.own_cents
        self._count[row.organisation] += 1
        return {
            "accepted": row.accepted_at,
            "first": self._first[row.organisation],
            "taken": self._cents[row.organisation, row.currency],
            "count": self._count[row.organisation],
        }


def _accepted(row: Row[Any]) -> datetime:
    moment: datetime = row.accepted_at
    return moment


def _medians(tx: Transaction, rows: Sequence[Row[Any]]) -> dict[tuple[str, str], Median]:
    found = monitoring.medians(tx, {(row.course, row.currency) for row in rows})
    return {place: Median(*values) for place, values in found.items()}


def _days(tx: Transaction, rows: Sequence[Row[Any]]) -> dict[tuple[str, date], int]:
    days = {(row.organisation, day_of(row.delivered_at)) for row in rows if row.delivered_at}
    return monitoring.on_days(tx, days)
