"""What is new in labour-market information, in an order that nobody reads past what is not committed yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select, tuple_

from services.catalogue.store.market_tables import market_changes
from services.platform.db.horizon import settled
from services.platform.db.transaction import Transaction

Token = tuple[int, int]  # transaction, number


def note(tx: Transaction, kind: int, resource: str, subject: str = "", nuts_code: str = "") -> None:
    """Notes a change in the transaction that makes it. `kind`: MarketChange.Kind."""
    values = {"kind": kind, "resource": resource, "subject": subject, "nuts_code": nuts_code}
    tx.execute(insert(market_changes).values(values))


def after(tx: Transaction, token: Token, size: int) -> Sequence[Row[Any]]:
    """Returns up to `size` changes after a token, the oldest first."""
    key = tuple_(market_changes.c.xid, market_changes.c.id)
    statement = select(market_changes).where(key > token, settled(market_changes.c.xid))
    return tx.execute(statement.order_by(*key).limit(size)).all()
