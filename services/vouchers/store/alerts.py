"""Statements of alerts and the holds they place."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.transaction import Transaction
from services.vouchers.store.quality_tables import alerts, holds

OPEN, FINDING, CLOSED = 1, 2, 3
CONFIRMED, UNFOUNDED = 1, 2
_a = alerts.c


def add(tx: Transaction, values: dict[str, Any]) -> bool:
    """Inserts an open alert, unless one of the same rule (none: of a person) about the same target is not
    closed yet; returns whether it did."""
    statement = insert(alerts).values({**values, "state": OPEN})
    # Not a parameter: once PostgreSQL plans for any value it would no longer find the index by it.
    not_closed = alerts.c.state < literal_column(str(CLOSED))
    free = statement.on_conflict_do_nothing(index_elements=["rule_code", "target"], index_where=not_closed)
    return tx.execute(free.returning(_a.id)).first() is not None


def standing(tx: Transaction, rule_code: str, target: str) -> str:
    """Returns the id of the alert of a rule about a target that is not closed; empty when there is none."""
    statement = select(_a.id).where(_a.rule_code == rule_code, _a.target == target, _a.state < CLOSED)
    return str(tx.execute(statement).scalar() or "")


def _with_hold() -> Select[Any]:
    return select(
        alerts, holds.c.id.label("hold_id"), holds.c.released_at.label("hold_released_at")
    ).outerjoin(holds, holds.c.alert_id == _a.id)


def get(tx: Transaction, alert: str, *, locked: bool = False) -> Row[Any]:
    """Returns an alert's row with its hold; raises Refusal(NOT_FOUND)."""
    statement = _with_hold().where(_a.id == alert)
    return tx.one(statement.with_for_update(of=alerts, key_share=True) if locked else statement)


def change(tx: Transaction, alert: str, values: dict[str, Any]) -> None:
    """Writes a step of a locked alert. The database refuses one person for two steps."""
    tx.execute(update(alerts).where(_a.id == alert).values(values))


def verify_hold(tx: Transaction, alert: str) -> None:
    """Notes on an alert's hold that a finding is verified, so that it can be released."""
    tx.execute(update(holds).where(holds.c.alert_id == alert).values(verified_by=tx.principal.subject))


def release_hold(tx: Transaction, alert: str) -> None:
    """Ends an alert's hold, unless it has ended. The database refuses it before a finding is verified."""
    values = {"released_by": tx.principal.subject, "released_at": tx.now}
    still = holds.c.released_at.is_(None)
    tx.execute(update(holds).where(holds.c.alert_id == alert, still).values(values))


def listed(state: int, organisation: str, redemption: str | None) -> Select[Any]:
    """Returns the statement for alerts; zero, empty and None mean any."""
    statement = _with_hold()
    if state:
        statement = statement.where(_a.state == state)
    if organisation:
        statement = statement.where(_a.organisation == organisation)
    return statement.where(_a.redemption_id == redemption) if redemption else statement
