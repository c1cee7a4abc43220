"""Has courses embedded for search by meaning, where the operator has that on; a job of the consumer.

It follows the changes of courses, so neither an import nor a search waits for it. A text is embedded once:
again only when it changes, or the model does.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from services.catalogue.domain.courses import Document
from services.catalogue.search.embedding import Embedder
from services.catalogue.store import course_changes
from services.catalogue.store.course_changes import BEGINNING, Place
from services.catalogue.store.course_vectors import CourseVectors
from services.platform.db.transaction import transaction

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

SLICE = 4.0  # seconds of work before the next look at whether the process is to end
FAMILY = "vectors-"  # of followers, one for each model
BATCH = 16  # courses a call
PATIENCE = 60.0  # seconds for one
LONGEST = 400  # characters: a title and how a description begins; what follows blurs more than it adds


def embed_courses(app: CatalogueApp) -> None:
    """Embeds what has changed, for a SLICE; raises EmbeddingError while the server for it is away."""
    end = time.monotonic() + SLICE
    while time.monotonic() < end and embed_next(app):
        pass


def embed_next(app: CatalogueApp) -> bool:
    """Embeds the next courses that have changed; returns whether there were any. Raises EmbeddingError."""
    vectors = CourseVectors(app.settings.embeddings_model)
    embedder = Embedder(app.settings.embeddings_url, app.settings.embeddings_model)
    follower = FAMILY + vectors.key
    with transaction(app, read_only=True) as tx:
        there = vectors.there(tx)
    if not there:
        _begin(app, vectors, embedder)
    with transaction(app, read_only=True) as tx:
        rows = course_changes.after(tx, course_changes.followed_to(tx, follower), BATCH)
        texts = {row.id: text_of(row.document) for row in rows if row.removed_time is None}
        known = vectors.digests(tx, texts)
    if not rows:
        return False
    digests = {course: _digest(text) for course, text in texts.items()}
    fresh = [course for course in texts if known.get(course) != digests[course]]
    made = embedder.embed([texts[course] for course in fresh], "passage", PATIENCE) if fresh else []
    with transaction(app) as tx:
        vectors.forget(tx, [row.id for row in rows if row.removed_time is not None])
        vectors.put(tx, {course: (digests[course], made[place]) for place, course in enumerate(fresh)})
        course_changes.follow_on(tx, follower, Place(rows[-1].changed_xid, rows[-1].id))
    return True


def _begin(app: CatalogueApp, vectors: CourseVectors, embedder: Embedder) -> None:
    """Makes the table, as wide as the model says, and lets the follower begin."""
    (sample,) = embedder.embed(["course"], "passage", PATIENCE)
    follower = FAMILY + vectors.key
    with transaction(app) as tx:
        vectors.make(tx, len(sample))
        course_changes.stop_others(tx, FAMILY, follower)
        course_changes.follow_on(tx, follower, BEGINNING)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def text_of(document: Document) -> str:
    """Returns what is embedded of a course, up to LONGEST characters."""
    parts = [*document["titles"].values(), *document["subjects"], *document["descriptions"].values()]
    return ". ".join(filter(None, parts))[:LONGEST]
