"""Says of each hit which words or which concepts found it: asked of the index again, for the hits alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tantivy import DocAddress, Query, Searcher
from waymark.catalogue.v1.search_pb2 import SearchReason

from services.catalogue.search import words
from services.catalogue.search.asked import Attempt, How
from services.catalogue.search.hits import Hits, put_first
from services.catalogue.search.meaning import Meaning, Way
from services.catalogue.search.words import either

MOST = 20  # queries told apart by one search; a score is exact up to 24 bits
_KINDS = {How.SIMILAR: SearchReason.KIND_SIMILAR_WORDS}


def of_all(attempt: Attempt, query: str) -> list[SearchReason]:
    """Returns the reason of all hits where nothing but the words can have found them; none elsewhere."""
    return [] if attempt.how is How.SOME or _ways(attempt) else [_by_words(attempt, query)]


def add_reasons(
    hits: Hits, found: Sequence[tuple[float, DocAddress]], searcher: Searcher, attempt: Attempt, query: str
) -> None:
    """Adds the reasons that lie in what was typed, before any other; `found`: where the hits stand."""
    ways, own = _ways(attempt), _by_words(attempt, query)
    meanings = list(dict.fromkeys(way.meaning for way in ways))
    asked_for = [attempt.asked.words]
    for meaning in meanings:
        asked_for += [_either(ways, meaning, near=False), _either(ways, meaning, near=True)]
    for hit, (by_words, *by_meanings) in zip(hits, _having(asked_for, hits, found, searcher), strict=True):
        reasons = [own] if by_words else []
        for place, meaning in enumerate(meanings):
            if by_meanings[2 * place]:
                reasons.append(_reason(meaning, SearchReason.KIND_CONCEPT))
            elif by_meanings[2 * place + 1]:
                reasons.append(_reason(meaning, SearchReason.KIND_NEAR_CONCEPT))
        put_first(hit, reasons or [SearchReason(kind=SearchReason.KIND_SOME_WORDS, evidence=query)])


def _ways(attempt: Attempt) -> list[Way]:
    return [way for way in attempt.asked.ways if attempt.how is How.SOME or not way.loose]


def _by_words(attempt: Attempt, query: str) -> SearchReason:
    return SearchReason(kind=_KINDS.get(attempt.how, SearchReason.KIND_WORDS), evidence=query)


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
        # Each with the hits, not all beside them: so Tantivy looks at a hit instead of going through the courses.
        told = either(
            [_among(query, ids, float(1 << bit)) for bit, query in enumerate(some) if query is not None]
        )
        scores = dict.fromkeys(place.values(), 0)
        for score, at in searcher.search(told, len(ids), count=False).hits:
            scores[place[at.segment_ord, at.doc]] = int(score)
        for answer, score in zip(answers, scores.values(), strict=True):
            answer += [bool(score >> bit & 1) for bit in range(len(some))]
    return answers


def _among(query: Query, ids: Sequence[str], worth: float) -> Query:
    return Query.const_score_query(words.filtered([query], [words.any_of("id", ids)]), worth)
