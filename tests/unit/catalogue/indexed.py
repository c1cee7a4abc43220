"""An index of courses in memory, filled as the service fills its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import tantivy

from services.catalogue.search import schema
from services.catalogue.search.documents import document

TODAY = date(2030, 1, 1)
EMPTY: Mapping[str, Any] = {
    "kind": "course",
    "eqf_level": 0,
    "titles": {},
    "descriptions": {},
    "subjects": [],
    "occupations": [],
    "offerings": [],
}


class Indexed:
    """Courses by number of their place, in one segment for each call of `add`."""

    def __init__(self) -> None:
        self._index = tantivy.Index(schema.schema())
        schema.register(self._index)
        self._writer = self._index.writer(heap_size=15_000_000, num_threads=1)
        self._count = 0

    def add(
        self, *states: Mapping[str, Any], refused: Sequence[str] = (), today: date = TODAY
    ) -> tantivy.Searcher:
        """Adds courses (what differs from EMPTY), as they are indexed on a day; returns a view with all of
        them."""
        for state in states:
            row = SimpleNamespace(
                id=str(self._count), organisation_id="x", same_as=None, document={**EMPTY, **state}
            )
            row.skills = {"refused": refused}
            self._writer.add_document(document(row, today))
            self._count += 1
        self._writer.commit()
        self._index.reload()
        return self._index.searcher()
