"""Inbox: an event has its effect at most once, because its id is kept by the transaction of the effect."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Uuid, delete, func, literal
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.platform.db.schema import inbox

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.platform.db.transaction import Transaction

# Longer than any topic that deletes keeps a message, so that no second delivery can come later. Where they
# stay for good a repeat is nothing: compacted topics carry whole states with a version, of which reactions
# ignore an old one, and what is published of a shortage list never changes.
KEPT = timedelta(days=30)


def admit(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Notes the ids as received and returns those that are new. Waits for a twin that handles the same
    event."""
    # Sorted, so that two consumers with overlapping batches cannot lock each other out.
    wanted = sorted({UUID(id) for id in ids})
    if not wanted:
        return set()
    new = func.unnest(literal(wanted, ARRAY(Uuid))).table_valued("id").render_derived(name="received")
    adding = insert(inbox).from_select(["id"], new.select()).on_conflict_do_nothing()
    return {str(id) for id in tx.execute(adding.returning(inbox.c.id)).scalars()}


def expire(engine: Engine, kept: timedelta = KEPT) -> int:
    """Forgets ids received longer ago than `kept`; returns how many."""
    with engine.begin() as connection:
        return connection.execute(delete(inbox).where(inbox.c.created_at < func.now() - kept)).rowcount
