"""Says of each hit which words or which concepts found it: asked of the index again, for the hits alone."""

from __future__ import annotations

from tantivy import Occur, Query, Searcher
from waymark.catalogue.v1.search_pb2 import SearchReason

from services.catalogue.search.asked import Attempt, How
from services.catalogue.search.hits import Hits, put_first
from services.catalogue.search.meaning import Meaning
from services.catalogue.search.words import any_of

_KINDS = {How.SIMILAR: SearchReason.KIND_SIMILAR_WORDS}


def add_reasons(hits: Hits, searcher: Searcher, attempt: Attempt, query: str) -> None:
    """Adds the reasons that lie in what was typed, before any other."""
    kind = _KINDS.get(attempt.how, SearchReason.KIND_WORDS)
    ways = attempt.asked.ways
    if not ways and attempt.how is not How.SOME:
        for hit in hits:
            put_first(hit, [SearchReason(kind=kind, evidence=query)])
        return
    looked = _Looked(hits, searcher)
    with_words = looked.found(attempt.asked.words)
    named: dict[str, dict[str, SearchReason]] = {hit.course: {} for hit in hits}
    for way in ways:
        for course in looked.found(way.query):
            if course in named:
                reason = _reason(way.meaning, near=way.near)
                known = named[course].setdefault(way.meaning.uri, reason)
                if not way.near:
                    known.kind = SearchReason.KIND_CONCEPT
    for hit in hits:
        reasons = list(named[hit.course].values())
        if hit.course in with_words:
            reasons.insert(0, SearchReason(kind=kind, evidence=query))
        elif not reasons:
            reasons = [SearchReason(kind=SearchReason.KIND_SOME_WORDS, evidence=query)]
        put_first(hit, reasons)


def _reason(meaning: Meaning, *, near: bool) -> SearchReason:
    return SearchReason(
        kind=SearchReason.KIND_NEAR_CONCEPT if near else SearchReason.KIND_CONCEPT,
        evidence=meaning.uri,
        label=meaning.label,
        label_language=meaning.language,
    )


class _Looked:
    """The hits of one page."""

    def __init__(self, hits: Hits, searcher: Searcher) -> None:
        self._searcher = searcher
        self._names = {hit.course.rpartition("/")[2]: hit.course for hit in hits}
        self._filter = Query.const_score_query(any_of("id", list(self._names)), 0.0) if hits else None

    def found(self, query: Query | None) -> set[str]:
        """Returns the hits that a query finds too."""
        if query is None or self._filter is None:
            return set()
        narrowed = Query.boolean_query([(Occur.Must, self._filter), (Occur.Must, query)])
        found = self._searcher.search(narrowed, len(self._names), count=False)
        docs = (self._searcher.doc(address) for _, address in found.hits)
        return {self._names[str(doc.get_first("id"))] for doc in docs}
