"""Statements on API products and their plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.api_products import Rule
from services.catalogue.store.api_tables import api_plans, api_products
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal


def add(tx: Transaction, table: Table, values: Mapping[str, Any]) -> Row[Any]:
    """Adds a product or plan; returns its row. Raises Refusal(ALREADY_EXISTS)."""
    try:
        with tx.connection.begin_nested():
            return tx.execute(insert(table).values(**values).returning(table)).one()
    except IntegrityError as error:
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from error


def read(tx: Transaction, product: str, *, lock: bool = False) -> Row[Any]:
    """Returns a product, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(api_products).where(api_products.c.id == product)
    return tx.one(statement.with_for_update() if lock else statement)


def rules_of(row: Row[Any]) -> list[Rule]:
    """Returns the rules of a product's row."""
    return [Rule(**rule) for rule in row.eligibility]


def set_rules(tx: Transaction, product: str, rules: Sequence[Rule]) -> Row[Any]:
    """Replaces the rules of a locked product; returns its row."""
    row = api_products
    values = {"eligibility": [rule._asdict() for rule in rules], "version": row.c.version + 1}
    return tx.execute(update(row).where(row.c.id == product).values(**values).returning(row)).one()


def read_plan(tx: Transaction, product: str, plan: str, *, lock: bool = False) -> Row[Any]:
    """Returns a plan, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(api_plans).where(api_plans.c.product_id == product, api_plans.c.id == plan)
    return tx.one(statement.with_for_update() if lock else statement)


def set_closed(tx: Transaction, product: str, plan: str, *, closed: bool) -> Row[Any]:
    """Closes a locked plan, or opens it again; returns its row."""
    statement = update(api_plans).where(api_plans.c.product_id == product, api_plans.c.id == plan)
    return tx.execute(statement.values(closed=closed).returning(api_plans)).one()
