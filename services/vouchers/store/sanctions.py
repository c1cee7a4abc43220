"""Statements of sanctions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from services.platform.db.transaction import Transaction
from services.vouchers.domain.sanctions import State
from services.vouchers.store.quality_tables import holds, sanctions

_s = sanctions.c


def barred(organisation: str) -> str:
    """Returns, as part of a statement, the condition that no voucher can be reserved with the provider in a
    column. Its numbers are no parameters: planning for any value, PostgreSQL would not find their index."""
    stands = "n.state IN (2, 3, 4) AND n.kind >= 2 AND (n.ends_at IS NULL OR n.ends_at > now())"
    same = f"n.organisation = {organisation}"
    return f"EXISTS (SELECT 1 FROM sanctions n WHERE {same} AND {stands})"  # noqa: S608 - parts of our own


def add(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts a proposed sanction; returns its row."""
    return tx.execute(insert(sanctions).values(values).returning(sanctions)).one()


def get(tx: Transaction, sanction: str, *, locked: bool = False) -> Row[Any]:
    """Returns a sanction's row; raises Refusal(NOT_FOUND)."""
    statement = select(sanctions).where(_s.id == sanction)
    return tx.one(statement.with_for_update(key_share=True) if locked else statement)


def change(tx: Transaction, sanction: str, values: dict[str, Any]) -> Row[Any]:
    """Writes a step of a locked sanction; returns its row. The database refuses one person for two steps."""
    statement = update(sanctions).where(_s.id == sanction).values(values)
    return tx.execute(statement.returning(sanctions)).one()


def end_hold(tx: Transaction, hold: str) -> None:
    """Ends the hold of a sanction that was lifted."""
    values = {"released_by": tx.principal.subject, "released_at": tx.now}
    tx.execute(update(holds).where(holds.c.id == hold, holds.c.released_at.is_(None)).values(values))


def listed(organisation: str, *, proposed: bool) -> Select[Any]:
    """Returns the statement for sanctions; an empty provider means any, `proposed` those that never counted
    too."""
    statement = select(sanctions)
    if organisation:
        statement = statement.where(_s.organisation == organisation)
    return statement if proposed else statement.where(_s.state.not_in((State.PROPOSED, State.DECLINED)))
