"""Says of each hit which words or which concepts found it: asked of the index again, for the hits alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tantivy import DocAddress, Occur, Query, Searcher
from waymark.catalogue.v1.search_pb2 import SearchReason

from services.catalogue.api.messages import last
from services.catalogue.search import words
from services.catalogue.search.asked import Attempt, How
from services.catalogue.search.hits import Hits, put_first
from services.catalogue.search.meaning import Meaning, Way

MOST = 20  # queries told apart by one search: a score is exact up to 24 bits
_KINDS = {How.SIMILAR: SearchReason.KIND_SIMILAR_WORDS}


def of_all(attempt: Attempt, query: str) -> list[SearchReason]:
    """Returns the reason of all hits where nothing but the words can have found them; none elsewhere."""
    return [] if attempt.how is How.SOME or _ways(attempt) else [_by_words(attempt, query)]


def add_reasons(
    hits: Hits,
    found: Sequence[tuple[float, DocAddress]],
    searcher: Searcher,
    attempt: Attempt,
    query: str,
    nearest: Collection[DocAddress] = (),
) -> None:
    """Adds the reasons that lie in what was typed, before any other; `found`: where the hits stand,
    `nearest`: where those found by meaning do."""
    by_meaning = {(at.segment_ord, at.doc) for at in nearest}
    ways, own = _ways(attempt), _by_words(attempt, query)
    meanings = list(dict.fromkeys(way.meaning for way in ways))
    asked_for = [attempt.asked.words]
    for meaning in meanings:
        asked_for += [_either(ways, meaning, near=False), _either(ways, meaning, near=True)]
    marks = _marks(asked_for, hits, found, searcher)
    for hit, (_, at), mark in zip(hits, found, marks, strict=True):
        reasons = [own] if mark & 1 else []
        for place, meaning in enumerate(meanings):
            direct, near = mark >> 2 * place + 1 & 1, mark >> 2 * place + 2 & 1
            if direct or near:
                kind = SearchReason.KIND_CONCEPT if direct else SearchReason.KIND_NEAR_CONCEPT
                reasons.append(_reason(meaning, kind))
        if (at.segment_ord, at.doc) in by_meaning:
            reasons.append(SearchReason(kind=SearchReason.KIND_MEANING, evidence=query))
        put_first(hit, reasons or [SearchReason(kind=SearchReason.KIND_SOME_WORDS, evidence=query)])


def _ways(attempt: Attempt) -> list[Way]:
    return [way for way in attempt.asked.ways if attempt.how is How.SOME or not way.loose]


def _by_words(attempt: Attempt, query: str) -> SearchReason:
    return SearchReason(kind=_KINDS.get(attempt.how, SearchReason.KIND_WORDS), evidence=query)


def _either(ways: Iterable[Way], meaning: Meaning, *, near: bool) -> Query | None:
    options = [way.query for way in ways if way.meaning == meaning and way.near is near]
    return words.either(options) if options else None


def _reason(meaning: Meaning, kind: SearchReason.Kind.ValueType) -> SearchReason:
    return SearchReason(kind=kind, evidence=meaning.uri, label=meaning.label, label_language=meaning.language)


def _marks(
    queries: Sequence[Query | None],
    hits: Hits,
    found: Sequence[tuple[float, DocAddress]],
    searcher: Searcher,
) -> list[int]:
    """Returns for each hit a number whose bit n says whether the query n finds it; None finds nothing.

    One search tells of MOST queries: each adds a power of two of its own to the scores of the hits it finds.
    """
    marks = [0] * len(found)
    places = {(at.segment_ord, at.doc): place for place, (_, at) in enumerate(found)}
    here = Query.const_score_query(words.any_of("id", [last(hit.course) for hit in hits]), 0.0)
    for start in range(0, len(queries), MOST):
        # One within the other, not all beside each other: Tantivy then looks at the hits alone.
        asked_for = here
        for bit, query in enumerate(queries[start : start + MOST]):
            if query is not None:
                mark = Query.const_score_query(query, float(1 << bit))
                asked_for = Query.boolean_query([(Occur.Must, asked_for), (Occur.Should, mark)])
        for score, at in searcher.search(asked_for, len(hits) or 1, count=False).hits:
            marks[places[at.segment_ord, at.doc]] |= int(score) << start
    return marks
