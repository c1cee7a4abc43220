"""Says of each hit which words or which concepts found it: asked of the index again, for the hits alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tantivy import DocAddress, Occur, Query, Searcher
from waymark.catalogue.v1.search_pb2 import SearchReason

from services.catalogue.search.asked import Attempt, How
from services.catalogue.search.hits import Hits, put_first
from services.catalogue.search.meaning import Meaning, Way
from services.catalogue.search.words import any_of, either

MOST = 20  # queries told apart by one search; a score is exact up to 24 bits
_KINDS = {How.SIMILAR: SearchReason.KIND_SIMILAR_WORDS}


def add_reasons(
    hits: Hits, found: Sequence[tuple[float, DocAddress]], searcher: Searcher, attempt: Attempt, query: str
) -> None:
    """Adds the reasons that lie in what was typed, before any other; `found`: where the hits stand."""
    kind = _KINDS.get(attempt.how, SearchReason.KIND_WORDS)
    some = attempt.how is How.SOME
    ways = [way for way in attempt.asked.ways if some or not way.loose]
    if not ways and not some:  # by the words alone
        for hit in hits:
            put_first(hit, [SearchReason(kind=kind, evidence=query)])
        return
    meanings = list(dict.fromkeys(way.meaning for way in ways))
    asked_for = [attempt.asked.words]
    for meaning in meanings:
        asked_for += [_either(ways, meaning, near=False), _either(ways, meaning, near=True)]
    for hit, (by_words, *by_meanings) in zip(hits, _having(asked_for, hits, found, searcher), strict=True):
        reasons = [SearchReason(kind=kind, evidence=query)] if by_words else []
        for place, meaning in enumerate(meanings):
            if by_meanings[2 * place]:
                reasons.append(_reason(meaning, SearchReason.KIND_CONCEPT))
            elif by_meanings[2 * place + 1]:
                reasons.append(_reason(meaning, SearchReason.KIND_NEAR_CONCEPT))
        put_first(hit, reasons or [SearchReason(kind=SearchReason.KIND_SOME_WORDS, evidence=query)])


def _either(ways: Iterable[Way], meaning: Meaning, *, near: bool) -> Query | None:
    options = [way.query for way in ways if way.meaning == meaning and way.near is near]
    return either(options) if options else None


def _reason(meaning: Meaning, kind: SearchReason.Kind.ValueType) -> SearchReason:
    return SearchReason(kind=kind, evidence=meaning.uri, label=meaning.label, label_language=meaning.language)


def _having(
    queries: Sequence[Query | None],
    hits: Hits,
    found: Sequence[tuple[float, DocAddress]],
    searcher: Searcher,
) -> list[list[bool]]:
    """Returns for each hit which of the queries find it; None finds nothing.

    One search tells of MOST queries: each that finds a hit adds a power of two of its own to its score.
    """
    answers: list[list[bool]] = [[] for _ in hits]
    ids = [hit.course.rpartition("/")[2] for hit in hits]
    place = {(at.segment_ord, at.doc): number for number, (_, at) in enumerate(found)}
    for start in range(0, len(queries) if ids else 0, MOST):
        some = queries[start : start + MOST]
        clauses = [(Occur.Must, Query.const_score_query(any_of("id", ids), 0.0))]
        for bit, query in enumerate(some):
            if query is not None:
                clauses.append((Occur.Should, Query.const_score_query(query, float(1 << bit))))
        for score, at in searcher.search(Query.boolean_query(clauses), len(ids), count=False).hits:
            of_hit = int(score)
            answers[place[at.segment_ord, at.doc]] += [bool(of_hit >> bit & 1) for bit in range(len(some))]
    return answers
