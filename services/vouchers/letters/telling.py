"""From an application's row to what its letter says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.platform.days import day_of
from services.vouchers.domain.builtin import CLAUSE_OF_CODE
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.states import ApplicationState as State
from services.vouchers.letters.said import Condition, Kind, Said

_GRANTED, _REFUSED = 1, 2  # outcomes of an appeal, as in the contract
# What a grant on appeal has written over; the row kept before it says how it was.
_REPLACED = ("state", "decided_at", "clauses", "reason_codes", "automatic")


def kind_of(row: Mapping[str, Any], *, first: bool) -> Kind | None:
    """Returns which letter tells the decision that stands, or the `first` one; None when there is none."""
    state, outcome = State(row["state"]), 0 if first else row["appeal_outcome"]
    if state is State.GRANTED:
        return Kind.APPEAL_GRANTED if outcome == _GRANTED else Kind.GRANTED
    if state is State.REFUSED:
        return Kind.APPEAL_REFUSED if outcome == _REFUSED else Kind.REFUSED
    return Kind.REFUSED if state is State.APPEALED else None


def first_decision(row: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns the row as it was first decided; `earlier`: what an appeal has replaced, None without one."""
    if earlier is None:
        return dict(row)
    before = {name: earlier[name] for name in _REPLACED}
    before["state"] = int(State.REFUSED)
    before["decided_at"] = datetime.fromisoformat(before["decided_at"])
    return {**row, **before}


def said_of(
    kind: Kind,
    row: Mapping[str, Any],
    rules: Rules,
    programme_names: Mapping[str, str],
    note: str,
    last_day: date | None = None,
) -> Said:
    """Returns what the letter says. `note`: opened, of the person who took this decision. `last_day`: of the
    budget that pays, None where the rules do not end vouchers with it."""
    on_appeal = kind in (Kind.APPEAL_GRANTED, Kind.APPEAL_REFUSED)
    decided = row["appeal_decided_at"] if on_appeal else row["decided_at"]
    common: dict[str, Any] = {
        "kind": kind,
        "learner": row["learner"],
        "application": f"applications/{row['id']}",
        "session": "" if row["session"].startswith("allocations/") else row["session"],
        "titles": dict(row["offer"].get("titles", ())),
        "programme_names": programme_names,
        "decided": _day(decided),
        "applied": _day(row["created_at"]),
        "currency": row["currency"],
        "automatic": row["automatic"] and not on_appeal and not row["decided_by"],
        "note": note,
        "first_day": date.fromisoformat(start) if (start := row["offer"].get("start")) else None,
    }
    if kind in (Kind.GRANTED, Kind.APPEAL_GRANTED):
        return Said(
            **common,
            amount=row["amount_cents"],
            share=row["share_cents"],
            voucher=f"vouchers/{row['voucher_id']}",
            order_until=min(_day(rules.order_limit(decided)), last_day or date.max),
            valid_until=min(_day(rules.expiry(decided)), last_day or date.max),
        )
    return Said(
        **common,
        conditions=tuple(_conditions(row["clauses"] or [], row["reason_codes"], rules)),
        appeal_until=None if on_appeal else row["appeal_until"],
        appeal_reference=rules.version.appeal_rule.legal_reference,
    )


def _conditions(
    clauses: Sequence[Mapping[str, Any]], codes: Sequence[str], rules: Rules
) -> Iterator[Condition]:
    """Yields the conditions behind each code: as they came out, as the rules have them, else the code."""
    for code in codes:
        failed = [
            Condition(each["clause"], each.get("texts", {}), each.get("legal_reference", ""))
            for each in clauses
            if each.get("reason_code") == code
        ]
        yield from failed or _by_rules(code, rules)


def _by_rules(code: str, rules: Rules) -> list[Condition]:
    found = [
        Condition(each.id, dict(each.texts), each.legal_reference)
        for each in rules.clauses
        if each.reason_code == code
    ]
    shortage = rules.version.shortage_rule
    if code == shortage.reason_code:
        found.append(Condition("shortage", {}, shortage.legal_reference))
    return found or [Condition(CLAUSE_OF_CODE.get(code, code), {}, "")]


def _day(moment: datetime) -> date:
    return day_of(moment)
