"""In which order locks are taken: first the holder's row, then the holder's key, then what is the holder's.

Who erases takes the row alone, and then the key with all that hangs on it; who changes something begins by
keeping the row from going. So an erasure waits for changes under way, and they never wait for it with
something locked that it needs.
"""

from __future__ import annotations

from sqlalchemy import Table, select

from services.platform.db.transaction import Transaction
from services.platform.db.wire import named
from services.portfolio.store.tables import holders

# Prepared, as each change begins with it.
_ENTER = named("portfolio_enter", "SELECT id FROM holders WHERE id = :holder FOR KEY SHARE")


def enter(tx: Transaction, holder: str) -> None:
    """Waits for an erasure of a holder under way, and lets none begin until the transaction is over. Keeps
    nobody else from the holder's row."""
    tx.rows(_ENTER(holder=holder))


def enter_by(tx: Transaction, table: Table, token_hash: bytes) -> None:
    """Does the same for whose link in `table` has this hash."""
    link = (table.c.holder_id == holders.c.id) & (table.c.token_hash == token_hash)
    row = select(holders.c.id).join(table, link)
    tx.execute(row.with_for_update(read=True, key_share=True, of=holders))


def enter_alone(tx: Transaction, holder: str) -> None:
    """Waits for everybody who changes something of a holder's, and lets nobody begin: for an erasure."""
    tx.execute(select(holders.c.id).where(holders.c.id == holder).with_for_update())
