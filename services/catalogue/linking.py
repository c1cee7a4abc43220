"""Finds courses of different sources that look alike; a job of `waymark consume catalogue`.

It follows the changes of courses as everybody else can (`store.course_changes`), so importing is as fast as
without it, and a correction counts as well.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from services.catalogue.domain.likeness import LEAST, Features, features, likeness
from services.catalogue.store import course_changes, course_links
from services.catalogue.store.course_changes import Place
from services.catalogue.store.course_links import Link
from services.platform.db.transaction import Transaction, transaction

if TYPE_CHECKING:
    from services.platform.app import App

SLICE = 2.0  # seconds of work before other jobs of the process get their turn
BATCH = 200  # courses a transaction
MOST = 20  # links that one course adds


def follow_changes(app: App) -> None:
    """Looks at what has changed, for a SLICE."""
    end = time.monotonic() + SLICE
    while time.monotonic() < end and look_at_next(app):
        pass


def look_at_next(app: App) -> bool:
    """Looks at the next courses that have changed; returns whether there were any."""
    with transaction(app) as tx:
        rows = course_changes.after(tx, course_links.place(tx), BATCH)
        if not rows:
            return False
        course_links.move(tx, Place(rows[-1].changed_xid, rows[-1].id))
        found = {row.id: features(row.document) for row in rows if row.removed_time is None}
        gone = [row.id for row in rows if row.removed_time is not None]
        known = course_links.known(tx, found)
        changed = {course: each for course, each in found.items() if known.get(course) != each}
        course_links.forget(tx, gone)
        course_links.unlink(tx, [*gone, *changed])
        if changed:
            course_links.put(tx, {row.id: row.source_id for row in rows}, changed)
            course_links.add(tx, _links(tx, changed))
        for course in course_links.same(tx, [row.id for row in rows]):
            course_links.regroup(tx, course)
    return True


def _links(tx: Transaction, courses: Mapping[str, Features]) -> Iterator[Link]:
    """The closest of those that are alike, for each course."""
    scored: defaultdict[str, list[Link]] = defaultdict(list)
    for row in course_links.alike(tx, courses):
        score = likeness(courses[str(row.course)], course_links.features_of(row))
        if score >= LEAST:
            scored[str(row.course)].append(Link(str(row.course), str(row.course_id), score))
    for links in scored.values():
        yield from sorted(links, key=lambda link: -link.score)[:MOST]
