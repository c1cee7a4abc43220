"""Statements on the tree of organisations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, Connection, func, literal, select, text

from services.catalogue.domain.organisations import DEEPEST
from services.catalogue.store.tables import organisations
from services.platform.db.transaction import Transaction

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('organisation tree'))")


def lock(tx: Transaction) -> None:
    """Waits for everybody who changes a place in the tree: two changes that are right alone can make a loop
    together."""
    tx.execute(_LOCK)


def above(connection: Connection, organisation: str) -> list[str]:
    """Returns the ids of an organisation and of all above it, itself first."""
    row = organisations
    tree = select(row.c.id, row.c.parent_id, literal(1).label("level")).where(row.c.id == organisation)
    walk = tree.cte("above", recursive=True)
    walk = walk.union_all(
        select(row.c.id, row.c.parent_id, walk.c.level + 1).where(
            row.c.id == walk.c.parent_id, walk.c.level <= DEEPEST
        )
    )
    return list(connection.execute(select(walk.c.id).order_by(walk.c.level)).scalars())


def sector(connection: Connection, organisation: str) -> int:
    """Returns the sector of an organisation, or of the nearest above it that says one; 0: none does."""
    ids, row = above(connection, organisation), organisations.c
    said = {
        each.id: each.sector for each in connection.execute(select(row.id, row.sector).where(row.id.in_(ids)))
    }
    return next((said[each] for each in ids if said[each]), 0)


def below(organisation: str) -> CTE[Any]:
    """Returns (id, level) of all below an organisation, its branches at level 1."""
    row = organisations
    tree = select(row.c.id, literal(1).label("level")).where(row.c.parent_id == organisation)
    walk = tree.cte("below", recursive=True)
    further = select(row.c.id, walk.c.level + 1)
    return walk.union_all(further.where(row.c.parent_id == walk.c.id, walk.c.level < DEEPEST))


def height(connection: Connection, organisation: str) -> int:
    """Returns how many levels the tree of an organisation has, itself among them."""
    walk = below(organisation)
    return int(connection.execute(select(func.coalesce(func.max(walk.c.level), 0))).scalar_one()) + 1
