"""Table of money that goes back from pots to their funding sources."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, SmallInteger, Table, Text, Uuid

from services.vouchers.store.columns import blank, created, key, moment, sealed, words
from services.vouchers.store.tables import metadata

fund_returns = Table(
    "fund_returns",
    metadata,
    key(),
    Column("budget_id", Uuid(as_uuid=False), ForeignKey("budgets.id"), nullable=False),
    Column("pot_id", Uuid(as_uuid=False), ForeignKey("pots.id"), nullable=False),
    Column("source_id", Text, ForeignKey("funding_sources.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    sealed("sealed_reason"),
    words("proposed_by"),
    blank("decided_by"),
    moment("decided_at", nullable=True),
    created(),
    CheckConstraint("cents > 0", name="fund_returns_some_amount"),
    CheckConstraint("state <> 2 OR decided_by <> proposed_by", name="fund_returns_maker_checker"),
    CheckConstraint(
        "state = 1 OR (decided_by <> '' AND decided_at IS NOT NULL)", name="fund_returns_decided_by_someone"
    ),
)
Index("fund_returns_budget", fund_returns.c.budget_id, fund_returns.c.id)
