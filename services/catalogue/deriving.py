"""Works out what follows from courses: which look alike, how complete each is; a job of the consumer.

It follows the changes of courses as everybody else can (`store.course_changes`), so importing is as fast as
without it, and a correction counts as well.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from services.catalogue import linking
from services.catalogue.domain import likeness
from services.catalogue.domain.completeness import RULE, measure
from services.catalogue.store import completeness, course_changes
from services.catalogue.store.course_changes import Place
from services.platform.db.transaction import transaction

if TYPE_CHECKING:
    from services.platform.app import App

FOLLOWER = f"rules-{likeness.RULE}-{RULE}"  # a new rule begins anew
SLICE = 2.0  # seconds of work before other jobs of the process get their turn
BATCH = 200  # courses a transaction


def follow_changes(app: App) -> None:
    """Looks at what has changed, for a SLICE."""
    end = time.monotonic() + SLICE
    while time.monotonic() < end and look_at_next(app):
        pass


def look_at_next(app: App) -> bool:
    """Looks at the next courses that have changed; returns whether there were any."""
    with transaction(app) as tx:
        rows = course_changes.after(tx, course_changes.followed_to(tx, FOLLOWER), BATCH)
        if not rows:
            return False
        course_changes.follow_on(tx, FOLLOWER, Place(rows[-1].changed_xid, rows[-1].id))
        offered = [row for row in rows if row.removed_time is None]
        gone = [row.id for row in rows if row.removed_time is not None]
        linking.link_anew(tx, offered, gone)
        completeness.forget(tx, gone)
        if offered:
            organisations = {row.id: row.organisation_id for row in offered}
            completeness.put(tx, organisations, {row.id: measure(row.document) for row in offered})
    return True
