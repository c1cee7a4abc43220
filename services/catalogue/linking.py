"""Finds courses of different sources that look alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.catalogue.domain.likeness import LEAST, Features, features, likeness
from services.catalogue.store import course_links
from services.catalogue.store.course_links import Link
from services.platform.db.transaction import Transaction

MOST = 20  # links that one course adds


def link_anew(tx: Transaction, offered: Sequence[Any], gone: Sequence[str]) -> None:
    """Links courses that have changed (rows of `courses`) with those like them, and unlinks those gone (ids).

    What a person has said stays; which of those that are the same stands for the others is found anew.
    """
    found = {row.id: features(row.document) for row in offered}
    known = course_links.known(tx, found)
    changed = {course: each for course, each in found.items() if known.get(course) != each}
    course_links.forget(tx, gone)
    course_links.unlink(tx, [*gone, *changed])
    if changed:
        course_links.put(tx, {row.id: row.source_id for row in offered}, changed)
        course_links.add(tx, _links(tx, changed))
    for course in course_links.same(tx, [*found, *gone]):
        course_links.regroup(tx, course)


def _links(tx: Transaction, courses: Mapping[str, Features]) -> Iterator[Link]:
    """The closest of those that are alike, for each course."""
    scored: defaultdict[str, list[Link]] = defaultdict(list)
    for row in course_links.alike(tx, courses):
        score = likeness(courses[str(row.course)], course_links.features_of(row))
        if score >= LEAST:
            scored[str(row.course)].append(Link(str(row.course), str(row.course_id), score))
    for links in scored.values():
        yield from sorted(links, key=lambda link: -link.score)[:MOST]
