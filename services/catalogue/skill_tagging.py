"""Tags courses with the skills that their texts name; a job of the consumer.

It follows the changes of courses, so importing is as fast as without it. A text is looked at once: again only
when it changes, or a version of the skills or labels come into use. What people say is applied to what was
found.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from services.catalogue.domain import skill_tags as domain
from services.catalogue.domain.courses import Document
from services.catalogue.domain.skill_tags import Found
from services.catalogue.domain.tagging import Tagger
from services.catalogue.store import concept_links, course_changes, skill_tags, tag_reviews, taxonomies
from services.catalogue.store.course_changes import Place
from services.catalogue.store.skill_tags import Tagging
from services.platform.db.transaction import Transaction, transaction

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

SLICE = 2.0  # seconds of work before other jobs of the process get their turn
FAMILY = "skills-"  # of followers, one for each state of the labels
BATCH = 100  # courses a transaction
KEPT_NAMES = 20_000  # phrases of a language: subjects come again and again


def tag_courses(app: CatalogueApp) -> None:
    """Applies what people have said and looks at what has changed, for a SLICE."""
    end = time.monotonic() + SLICE
    while time.monotonic() < end and (apply_next(app) or look_at_next(app)):
        pass


def count_views(app: CatalogueApp) -> None:
    """Counts anew how often the courses of each phrase were looked at."""
    with transaction(app) as tx:
        tag_reviews.count_views(tx)


class Finder:
    """Finds skills by the version in use when it was made, and the labels of then; what a language needs is
    made on first use."""

    def __init__(self, app: CatalogueApp, version: str, languages: Collection[str], state: str) -> None:
        self.state = state
        self._app = app
        self._version = version
        self._languages = frozenset(languages)
        self._ways: dict[str, tuple[Tagger, domain.Naming]] = {}

    def tagging(self, document: Document, before: Tagging | None) -> Tagging | None:
        """Returns what the texts of a course name; None: as before."""
        digest = domain.digest(document)
        if before is not None and (before.digest, before.labels) == (digest, self.state):
            return None
        languages = [each for each in document["titles"] if each in self._languages]
        found = domain.surest(chain.from_iterable(self._found(document, each) for each in languages))
        phrases = dict.fromkeys([*domain.phrases(document), *(each.phrase for each in found)])
        if before is not None and before.digest == digest:
            phrases |= dict.fromkeys(before.phrases)
        return Tagging(digest, self.state, list(phrases), found)

    def _found(self, document: Document, language: str) -> Iterator[Found]:
        tagger, named = self._ways.get(language) or self._way(language)
        return domain.found(document, language, tagger, named, self._version)

    def _way(self, language: str) -> tuple[Tagger, domain.Naming]:
        with transaction(self._app, read_only=True) as tx:
            _, names = self._app.naming.names(tx.connection, taxonomies.SKILLS, language)
            labels = taxonomies.labels_of(tx.connection, language, taxonomies.SKILLS)
        made = Tagger(labels, language), lru_cache(KEPT_NAMES)(names.clearest)
        self._ways[language] = made
        return made


def finder(app: CatalogueApp, tx: Transaction, former: Finder | None) -> Finder | None:
    """Returns what finds skills now: the former while it is up to date; None while there are no skills."""
    version = taxonomies.in_use(tx.connection).get(taxonomies.SKILLS, "")
    row = taxonomies.find_version(tx.connection, taxonomies.SKILLS, version)
    if row is None:
        return None
    state = f"{domain.RULE}/{version}/{row.label_count}"
    if former is not None and former.state == state:
        return former
    return Finder(app, version, row.languages, state)


def look_at_next(app: CatalogueApp) -> bool:
    """Looks at the next courses that have changed; returns whether there were any."""
    with transaction(app, read_only=True) as tx:
        app.skill_finder = found_by = finder(app, tx, app.skill_finder)
        if found_by is None:
            return False
        follower = _follower(found_by)
        rows = course_changes.after(tx, course_changes.followed_to(tx, follower), BATCH)
        offered = {row.id: row.document for row in rows if row.removed_time is None}
        known = skill_tags.taggings(tx, offered)
    if not rows:
        return False
    looked_at = {
        course: found_by.tagging(document, known.get(course)) for course, document in offered.items()
    }
    fresh = {course: tagging for course, tagging in looked_at.items() if tagging is not None}
    with transaction(app) as tx:
        course_changes.follow_on(tx, follower, Place(rows[-1].changed_xid, rows[-1].id))
        course_changes.stop_others(tx, FAMILY, follower)
        skill_tags.forget(tx, [row.id for row in rows if row.removed_time is not None])
        skill_tags.put_taggings(tx, fresh)
        show(tx, fresh.keys() | tag_reviews.outdated(tx, offered))
    return True


def apply_next(app: CatalogueApp) -> bool:
    """Goes through the next courses of a phrase that is decided about; returns whether there are any."""
    with transaction(app) as tx:
        review = tag_reviews.next_to_apply(tx)
        if review is None:
            return False
        behind = tag_reviews.behind(tx, review, BATCH)
        show(tx, behind)
        if len(behind) < BATCH:
            tag_reviews.settle(tx, review)
    return True


def show(tx: Transaction, ids: Collection[str]) -> None:
    """Lets courses show what was found in them and what people say of it.

    Courses are locked before what people say is read: who says something of one waits, or is read.
    """
    rows = skill_tags.locked(tx, ids)
    taggings = skill_tags.taggings(tx, [row.id for row in rows])
    tag_reviews.add(tx, chain.from_iterable(each.found for each in taggings.values()))
    every = set(chain.from_iterable(each.phrases for each in taggings.values()))
    said, revisions = tag_reviews.said(tx, every)
    of_course = skill_tags.words_on(tx, taggings)
    spoken = [*said.values(), *of_course.values()]
    moved = concept_links.successors(tx, taxonomies.SKILLS, set(chain.from_iterable(spoken)))
    shown, counted = {}, {}
    for course, tagging in taggings.items():
        here = {phrase: said[phrase] for phrase in tagging.phrases if phrase in said}
        words = {phrase: domain.inherited(each, moved) for phrase, each in here.items()}
        of_this = domain.inherited(of_course.get(course, {}), moved)
        shown[course] = domain.decided(tagging.found, words, of_this)
        reviews = {each.review for each in tagging.found}
        reviews |= {domain.review_id(phrase, uri) for phrase, each in here.items() for uri in each}
        counted[course] = {review: revisions[review] for review in reviews}
    changed = (row for row in rows if shown.get(row.id, row.skills) != row.skills)
    skill_tags.write(tx, {row.id: shown[row.id] for row in changed})
    skill_tags.attach(tx, counted)


def _follower(found_by: Finder) -> str:
    """Whoever finds by other labels begins anew, also by those of an earlier time."""
    return f"{FAMILY}{hashlib.blake2b(found_by.state.encode(), digest_size=8).hexdigest()}"
