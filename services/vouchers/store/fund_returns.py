"""Statements of money that goes back from pots to their funding sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from services.platform.db.transaction import Transaction
from services.vouchers.store.fund_return_tables import fund_returns
from services.vouchers.store.tables import pots

_f = fund_returns.c
PROPOSED, RETURNED, DECLINED = 1, 2, 3  # as in the contract
_ROW = select(fund_returns, pots.c.code, pots.c.name).join(pots, pots.c.id == _f.pot_id)


def lock_pot(tx: Transaction, budget: str, code: str) -> Row[Any]:
    """Locks and returns a pot of a budget; raises Refusal(NOT_FOUND)."""
    place = select(pots).where(pots.c.budget_id == budget, pots.c.code == code)
    return tx.one(place.with_for_update(key_share=True))


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts a proposal; returns its row with the pot's code and name."""
    tx.execute(insert(fund_returns).values(values))
    return get(tx, values["budget_id"], values["id"])


def get(tx: Transaction, budget: str, fund_return: str, *, locked: bool = False) -> Row[Any]:
    """Returns a return of a budget; raises Refusal(NOT_FOUND)."""
    statement = _ROW.where(_f.id == fund_return, _f.budget_id == budget)
    return tx.one(statement.with_for_update(of=fund_returns, key_share=True) if locked else statement)


def decide(tx: Transaction, row: Row[Any], state: int) -> Row[Any]:
    """Decides a locked proposal; returns its row. The database refuses whoever proposed what is returned."""
    values = {"state": state, "decided_by": tx.principal.subject, "decided_at": tx.now}
    tx.execute(update(fund_returns).where(_f.id == row.id).values(values))
    return get(tx, str(row.budget_id), str(row.id))


def take(tx: Transaction, pot: str, cents: int) -> None:
    """Takes money out of a locked pot for good; book the same."""
    less = {
        "funded_cents": pots.c.funded_cents - cents,
        "available_cents": pots.c.available_cents - cents,
    }
    tx.execute(update(pots).where(pots.c.id == pot).values(less))


def of_budget(budget: str) -> Select[Any]:
    """Returns the statement for the returns of a budget."""
    return _ROW.where(_f.budget_id == budget)
