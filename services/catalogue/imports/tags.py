"""Occupation tags for imported courses that name none, and the taxonomy that feeds may refer to."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_MODEL

from services.catalogue.domain import courses
from services.catalogue.domain.courses import Document
from services.catalogue.domain.tagging import Tagger
from services.catalogue.imports.feed import Occupation
from services.catalogue.store import taxonomies
from services.platform.db.transaction import transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine


class TagsInUse:
    """The taxonomy in use, of which runs side by side have one in memory, and none when none is under way."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: weakref.ref[Tags] | None = None
        self._making = threading.Lock()

    def get(self) -> Tags:
        """Returns the taxonomy as it is now; who holds it keeps it."""
        with self._making:
            with transaction(self._engine, read_only=True) as tx:
                state = taxonomies.state(tx.connection)
            kept = self._kept() if self._kept else None
            if kept is None or kept.state != state:
                kept = Tags(self._engine)
                self._kept = weakref.ref(kept)
            return kept


class Tags:
    """The taxonomy in use at the time it is made; one tagger per language, made on first use. Threads may
    share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._taggers: dict[str, Tagger] = {}
        self._making = threading.Lock()
        with transaction(engine, read_only=True) as tx:
            self.version = taxonomies.in_use(tx.connection).get(taxonomies.ESCO, "")
            self.state = taxonomies.state(tx.connection)
            labels = taxonomies.labels_of(
                tx.connection, "en", taxonomies.ESCO, taxonomies.ISCO, preferred_only=True
            )
        self.occupations = {
            label.uri: Occupation(label.uri, label.isco_code, label.preferred_label) for label in labels
        }

    def add(self, document: Document) -> None:
        """Puts tags of origin MODEL into a document without tags."""
        if document["occupations"] or not self.version:
            return
        best: dict[str, Document] = {}
        for language, title in document["titles"].items():
            rest = document["descriptions"].get(language, "")
            for match in self._tagger(language).tag(title, document["subjects"], rest):
                found = courses.tag(
                    match.uri, match.isco_code, match.label, TAG_ORIGIN_MODEL, match.confidence, self.version
                )
                if match.uri not in best or best[match.uri]["confidence"] < found["confidence"]:
                    best[match.uri] = found
        document["occupations"] = list(best.values())

    def _tagger(self, language: str) -> Tagger:
        with self._making:
            if language not in self._taggers:
                with transaction(self._engine, read_only=True) as tx:
                    labels = taxonomies.labels_of(tx.connection, language, taxonomies.ESCO)
                self._taggers[language] = Tagger(labels, language)
            return self._taggers[language]
