"""What has been in the trash for long, or was taken back, goes for good."""

from __future__ import annotations

from services.platform.db.transaction import Transaction
from services.portfolio.store import keeping, skill_claims, trash
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.planning import GOALS, JOURNAL, PLANS


def purge(tx: Transaction, *, limit: int = 500) -> int:
    """Removes up to `limit` rows of each kind that have been in the trash for long, and of claims taken back;
    returns how many. What a legal hold keeps stays until it is lifted."""
    return skill_claims.purge(tx, limit=limit) + sum(
        keeping.purge(tx, table, table.c.deleted_at < tx.now - trash.IN_TRASH, limit=limit)
        for table in (kind.table for kind in (ENTRIES, JOURNAL, GOALS, PLANS))
    )
