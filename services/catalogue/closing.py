"""Closes sources and organisations, and opens them again; the courses of sources go and come back by a job of
`waymark consume catalogue`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from services.catalogue import events
from services.catalogue.domain.accreditation import standing
from services.catalogue.domain.closing import check_reopening, check_restored
from services.catalogue.store import courses, feed_runs, organisations, quality_holds, sources
from services.platform.db.transaction import Transaction, transaction

if TYPE_CHECKING:
    from services.platform.app import App

AT_ONCE = 500  # courses removed, or brought back, by one transaction
REASON = "organisation closed"  # of the end of its accreditations


def close_source(tx: Transaction, source: Row[Any], *, keep_courses: bool) -> Row[Any]:
    """Closes a locked, open source; returns its row. Raises Refusal: FEED_RUN_ACTIVE while a run of it is
    unfinished, WRONG_STATE while its courses come back from an earlier closing."""
    check_restored(source.restoring_since)
    feed_runs.refuse_while_active(tx, source.id)
    return sources.close(tx, source.id, keep_courses=keep_courses)


def reopen_source(tx: Transaction, source: str, reason: str) -> Row[Any]:
    """Opens a source again, with the courses that its closing removed; returns its row. Raises Refusal:
    NOT_FOUND, WRONG_STATE, also while its organisation is closed, REOPENING_TOO_LATE."""
    organisations.read_open(tx, sources.read(tx.connection, source).organisation_id)
    row = sources.read(tx.connection, source, lock=True)
    check_reopening(row.close_time, tx.now)
    return sources.reopen(tx, row, reason)


def close_organisation(tx: Transaction, organisation: str) -> None:
    """Closes a locked, open organisation: its sources, with their courses, and its accreditations. Raises
    Refusal: FEED_RUN_ACTIVE, WRONG_STATE."""
    for source in sources.open_of(tx, organisation):
        close_source(tx, source, keep_courses=False)
    held = organisations.accreditations_of(tx.connection, [organisation])[organisation]
    for each in standing(held, tx.today):
        organisations.withdraw(tx, each.id, REASON)


def reopen_organisation(tx: Transaction, organisation: Row[Any], reason: str) -> None:
    """Undoes the closing of a locked organisation, for its accreditations and the sources closed with it.
    Raises Refusal: WRONG_STATE, REOPENING_TOO_LATE."""
    check_reopening(organisation.close_time, tx.now)
    for source in sources.closed_at(tx, organisation.id, organisation.close_time):
        sources.reopen(tx, source, reason)
    organisations.restore_accreditations(tx, organisation.id, organisation.close_time)


def move_courses(app: App) -> None:
    """Removes the courses of closed sources, and brings back those of opened ones, in small transactions."""
    while _remove_next(app) or _restore_next(app):
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


def _restore_next(app: App) -> bool:
    with transaction(app) as tx:
        source = sources.to_fill(tx)
        if source is None:
            return False
        rows = courses.restore_next(tx, source.id, source.restoring_since, source.reopen_time, AT_ONCE)
        held = quality_holds.held_courses(tx, [row.id for row in rows])
        for row in rows:
            told = row.version, source.organisation_id, row.document
            tx.publish(events.course_changed(row.id, *told, removed=False, held=row.id in held))
        if len(rows) < AT_ONCE:
            sources.filled(tx, source.id)
    return True
