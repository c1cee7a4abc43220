"""Closes sources and organisations, and removes the courses of closed sources; the removal is a job of
`waymark consume catalogue`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from services.catalogue import events
from services.catalogue.domain.accreditation import standing
from services.catalogue.store import courses, feed_runs, organisations, sources
from services.platform.db.transaction import Transaction, transaction

if TYPE_CHECKING:
    from services.platform.app import App

AT_ONCE = 500  # courses removed by one transaction
REASON = "organisation closed"  # of the end of its accreditations


def close_source(tx: Transaction, source: str, *, keep_courses: bool) -> Row[Any]:
    """Closes a locked, open source; returns its row. Raises Refusal(FEED_RUN_ACTIVE) while a run of it is
    unfinished."""
    feed_runs.refuse_while_active(tx, source)
    return sources.close(tx, source, keep_courses=keep_courses)


def close_organisation(tx: Transaction, organisation: str) -> None:
    """Closes a locked, open organisation: its sources, with their courses, and its accreditations. Raises
    Refusal(FEED_RUN_ACTIVE)."""
    for source in sources.open_of(tx, organisation):
        close_source(tx, source.id, keep_courses=False)
    held = organisations.accreditations_of(tx.connection, [organisation])[organisation]
    for each in standing(held, tx.today):
        organisations.withdraw(tx, each.id, REASON)


def remove_courses(app: App) -> None:
    """Removes the courses of closed sources, in small transactions."""
    while _remove_next(app):
        pass


def _remove_next(app: App) -> bool:
    with transaction(app) as tx:
        source = sources.to_empty(tx)
        if source is None:
            return False
        rows = courses.remove_next(tx, source.id, AT_ONCE)
        for row in rows:
            told = row.version, source.organisation_id, row.document
            tx.publish(events.course_changed(row.id, *told, removed=True, held=False))
        if len(rows) < AT_ONCE:
            sources.emptied(tx, source.id)
    return True
