"""Puts courses found by words and courses near in meaning into one order: by reciprocal rank fusion.

A course scores 1 / (K + place) by each list that it is in (Cormack, Clarke and Büttcher, 2009). Filters hold
for both. What words find beyond WINDOW follows in its own order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tantivy import DocAddress, Occur, Query, Searcher
from waymark.catalogue.v1.search_pb2 import SEARCH_ORDER_NEXT_START, SearchCoursesRequest

from services.catalogue.search import weights, words
from services.catalogue.search.filters import Wanted
from services.catalogue.search.nearest import Nearest

WINDOW = 100  # courses found by words
SIZE = 50  # courses near in meaning
FEW = 1000  # courses that pass the filters; so few are compared one by one, for the index might miss them all

Hits = list[tuple[float, DocAddress]]


class Ranked(NamedTuple):
    """Hits of a page, in order, and the query they come from; `total`: all of them."""

    hits: Hits
    total: int
    query: Query


def ask(
    nearest: Nearest | None, searcher: Searcher, request: SearchCoursesRequest, wanted: Wanted
) -> Callable[[], Sequence[str]] | None:
    """Asks for the courses near in meaning; returns what waits for their ids, None when none are wanted.

    None for words in quotes, which are taken as they are, and for another order than by relevance.
    """
    query = request.query.strip()
    if nearest is None or not query or '"' in query or request.order_by == SEARCH_ORDER_NEXT_START:
        return None
    return nearest.ask(query, _among(searcher, wanted) if wanted.filters else None)


def _among(searcher: Searcher, wanted: Wanted) -> list[str] | None:
    """Returns the courses that pass the filters, where they are FEW."""
    found = searcher.search(words.filtered([], wanted.filters, wanted.excluded), FEW, count=True)
    if found.count > FEW:  # type: ignore[attr-defined]
        return None
    return [_id(searcher, at) for _, at in found.hits]


def fused(
    searcher: Searcher, found: Ranked, ids: Sequence[str], wanted: Wanted, offset: int, size: int
) -> tuple[Ranked, Sequence[DocAddress]]:
    """Returns the page of both, and where those near in meaning stand that pass the filters; `found`: by
    words, `ids`: near in meaning, nearest first."""
    passing = words.filtered([words.any_of("id", ids)], wanted.filters, wanted.excluded)
    hits = searcher.search(passing, len(ids), count=False).hits if ids else []
    at_id = {_id(searcher, at): at for _, at in hits}
    kept = [course for course in ids if course in at_id][:SIZE]
    if not kept:
        return found, ()
    near = [at_id[course] for course in kept]
    here = Query.const_score_query(words.any_of("id", kept), 0.0)
    both = words.either([found.query, here])
    total = searcher.search(both, 1, count=True).count  # type: ignore[attr-defined]
    page = _page(searcher, found.query, near, here, offset, size)
    return Ranked(page, total, both), near


def _page(
    searcher: Searcher, query: Query, near: Sequence[DocAddress], here: Query, offset: int, size: int
) -> Hits:
    window = [at for _, at in searcher.search(query, WINDOW, count=False).hits]
    ordered = in_order(window, near)
    page = ordered[offset : offset + size]
    if len(page) < size and len(window) == WINDOW:
        known = {_key(at) for at in near}
        beyond = Query.boolean_query([(Occur.Must, query), (Occur.MustNot, here)])
        skipped = sum(_key(at) not in known for at in window) + max(offset - len(ordered), 0)
        rest = searcher.search(beyond, size - len(page), offset=skipped, count=False).hits
        page += [(1 / (weights.FUSED + WINDOW + skipped + place), at) for place, (_, at) in enumerate(rest)]
    return page


def in_order(*lists: Sequence[DocAddress]) -> Hits:
    """Returns what is in any of the lists, by how far before it is in each; each list is in order, and the
    first decides between equals."""
    scores: defaultdict[tuple[int, int], float] = defaultdict(float)
    at_key = {_key(at): at for each in lists for at in each}
    for each in lists:
        for place, at in enumerate(each, 1):
            scores[_key(at)] += 1 / (weights.FUSED + place)
    ordered = sorted(scores.items(), key=lambda pair: -pair[1])
    return [(score, at_key[key]) for key, score in ordered]


def _key(at: DocAddress) -> tuple[int, int]:
    return at.segment_ord, at.doc


def _id(searcher: Searcher, at: DocAddress) -> str:
    return str(searcher.doc(at).get_first("id"))
