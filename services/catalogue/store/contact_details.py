"""Statements on contact details, and on which of them agreements share with whom."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.domain.agreement import State
from services.catalogue.domain.data_sharing import Term, readable
from services.catalogue.store import organisations
from services.catalogue.store.agreement_tables import agreements, contact_details
from services.platform.db.transaction import Transaction


def read(tx: Transaction, organisation: str, *, lock: bool = False) -> tuple[dict[str, Any], int]:
    """Returns the details of an organisation and their version, {} and 0 before there are any;

    With `lock` nobody else changes them until the commit. Raises Refusal(NOT_FOUND).
    """
    organisations.read(tx.connection, organisation, lock=lock)
    statement = select(contact_details).where(contact_details.c.organisation_id == organisation)
    row = tx.execute(statement).first()
    return (dict(row.details), row.version) if row else ({}, 0)


def write(tx: Transaction, organisation: str, details: dict[str, Any]) -> Row[Any]:
    """Writes the details of a locked organisation; returns their row."""
    statement = insert(contact_details).values(organisation_id=organisation, details=details, version=1)
    changed = {"details": details, "version": contact_details.c.version + 1, "update_time": func.now()}
    statement = statement.on_conflict_do_update(index_elements=["organisation_id"], set_=changed)
    return tx.execute(statement.returning(contact_details)).one()


def shared(connection: Connection, giver: str, reader: str, purpose: int) -> list[str]:
    """Returns the fields of the giver's that the reader may read today for a purpose."""
    today, row = func.current_date(), agreements.c
    statement = select(row.data_sharing).where(
        row.parties.contains([giver, reader]),
        row.state == State.ACTIVE,
        row.start_date <= today,
        or_(row.end_date.is_(None), row.end_date >= today),
    )
    found = connection.execute(statement).scalars()
    return readable((Term(**term) for terms in found for term in terms), giver, purpose)
