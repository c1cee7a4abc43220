"""Says of each hit which words or which concepts found it: asked of the index again, for the hits alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tantivy import DocAddress, Occur, Query, Searcher
from waymark.catalogue.v1.search_pb2 import SearchReason

from services.catalogue.search import weights
from services.catalogue.search.asked import Attempt, How
from services.catalogue.search.hits import Hits, put_first
from services.catalogue.search.meaning import Meaning, Way
from services.catalogue.search.words import any_of

_KINDS = {How.SIMILAR: SearchReason.KIND_SIMILAR_WORDS}


def add_reasons(
    hits: Hits, found: Sequence[tuple[float, DocAddress]], searcher: Searcher, attempt: Attempt, query: str
) -> None:
    """Adds the reasons that lie in what was typed, before any other; `found`: where the hits stand."""
    kind = _KINDS.get(attempt.how, SearchReason.KIND_WORDS)
    some = attempt.how is How.SOME
    ways = [way for way in attempt.asked.ways if some or not way.loose]
    page = _Page(hits, found, searcher)
    by_words_alone = not ways and not some
    with_words = set(page.places) if by_words_alone else page.having([attempt.asked.words])
    named: dict[int, list[SearchReason]] = {place: [] for place in page.places}
    for meaning in dict.fromkeys(way.meaning for way in ways):
        direct = page.having(_queries(ways, meaning, near=False))
        near = page.having(_queries(ways, meaning, near=True)) - direct
        for places, which in (direct, SearchReason.KIND_CONCEPT), (near, SearchReason.KIND_NEAR_CONCEPT):
            for place in places:
                named[place].append(_reason(meaning, which))
    for place, hit in enumerate(hits):
        reasons = named[place]
        if place in with_words:
            reasons.insert(0, SearchReason(kind=kind, evidence=query))
        elif not reasons:
            reasons = [SearchReason(kind=SearchReason.KIND_SOME_WORDS, evidence=query)]
        put_first(hit, reasons)


def _queries(ways: Iterable[Way], meaning: Meaning, *, near: bool) -> list[Query | None]:
    return [way.query for way in ways if way.meaning == meaning and way.near is near]


def _reason(meaning: Meaning, kind: SearchReason.Kind.ValueType) -> SearchReason:
    return SearchReason(kind=kind, evidence=meaning.uri, label=meaning.label, label_language=meaning.language)


class _Page:
    """The hits of one page, by their places on it."""

    def __init__(self, hits: Hits, found: Sequence[tuple[float, DocAddress]], searcher: Searcher) -> None:
        self.places = range(len(hits))
        self._searcher = searcher
        self._place = {(at.segment_ord, at.doc): place for place, (_, at) in enumerate(found)}
        ids = [hit.course.rpartition("/")[2] for hit in hits]
        self._filter = Query.const_score_query(any_of("id", ids), 0.0) if ids else None

    def having(self, queries: Sequence[Query | None]) -> set[int]:
        """Returns the places of the hits that one of the queries finds too."""
        wanted = [query for query in queries if query is not None]
        if not wanted or self._filter is None:
            return set()
        either = Query.disjunction_max_query(wanted, weights.TIE) if len(wanted) > 1 else wanted[0]
        narrowed = Query.boolean_query([(Occur.Must, self._filter), (Occur.Must, either)])
        again = self._searcher.search(narrowed, len(self.places), count=False).hits
        return {self._place[at.segment_ord, at.doc] for _, at in again}
