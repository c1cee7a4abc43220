"""One search from request to answer, on one snapshot of the index."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tantivy import DocAddress, Query, Searcher
from waymark.catalogue.v1.search_pb2 import (
    SEARCH_ORDER_NEXT_START,
    SearchCoursesRequest,
    SearchCoursesResponse,
)

from services.catalogue.api.messages import put_date
from services.catalogue.search import asked, facets, fusion, reasons, words
from services.catalogue.search.asked import Attempt, How
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.documents import kept_sessions
from services.catalogue.search.filters import Wanted, starting_between, understand
from services.catalogue.search.fusion import Hits, Ranked
from services.catalogue.search.hits import add_hits, passing
from services.catalogue.search.label_index import Labels
from services.catalogue.search.market import Market
from services.catalogue.search.meaning import Concepts
from services.catalogue.search.nearest import Nearest

DEEPEST = 1000  # hits one can page to
LONGEST = 4096  # days ahead that starts are put in order


@dataclass(frozen=True)
class Answer:
    """Response without page token; `more`: there is a further page."""

    response: SearchCoursesResponse
    more: bool


def search(
    request: SearchCoursesRequest,
    snapshot: Snapshot,
    labels: Labels | None,
    market: Market,
    offset: int,
    size: int,
    nearest: Nearest | None = None,
) -> Answer:
    """Answers a request from `offset`; raises Refusal(INVALID_ARGUMENT), IndexDamaged.

    `labels`: what concepts are called; None while that is not known yet, and words are words only.
    `nearest`: None where nothing is searched for by meaning.
    """
    view = market.view()
    wanted = understand(request, market, view, snapshot)
    searcher = snapshot.searcher

    def run(text: Sequence[Query]) -> Ranked:
        query = words.filtered(text, wanted.filters, wanted.excluded)
        return Ranked(*_ranked(searcher, query, request, wanted, offset, size), query)

    text = request.query.strip()
    asking = fusion.ask(nearest, searcher, request, wanted)  # answers while words are looked up
    attempt: Attempt | None = None
    if text:
        concepts = Concepts(labels, snapshot.labelled) if labels else None
        attempt, found = asked.take(request.query, request.language, concepts, run)
    else:
        found = run([])
    near: Sequence[DocAddress] = ()
    if asking is not None:
        found, near = fusion.fused(searcher, found, asking(), wanted, offset, size)
    response = SearchCoursesResponse(
        total_size=found.total,
        facets=facets.count(searcher, found.query, request.facets, wanted, found.total),
        corrected=attempt is not None and attempt.how is How.SIMILAR,
    )
    first = reasons.of_all(attempt, text) if attempt and not near else []
    add_hits(response.hits, searcher, found.hits, request.occupations, wanted, view, first)
    if attempt is not None and not first:
        reasons.add_reasons(response.hits, found.hits, searcher, attempt, text, near)
    put_date(response.as_of, wanted.as_of)
    return Answer(response, more=offset + size < min(found.total, DEEPEST))


def _ranked(
    searcher: Searcher, query: Query, request: SearchCoursesRequest, wanted: Wanted, offset: int, size: int
) -> tuple[Hits, int]:
    if request.order_by == SEARCH_ORDER_NEXT_START:
        total = count(searcher, query)
        return _by_start(searcher, query, wanted, offset + size)[offset:], total
    result = searcher.search(query, limit=size, offset=offset, count=True)
    return result.hits, result.count  # type: ignore[attr-defined]


def count(searcher: Searcher, query: Query) -> int:
    """Returns the number of hits."""
    return int(searcher.search(query, limit=1, count=True).count)  # type: ignore[attr-defined]


def _by_start(searcher: Searcher, query: Query, wanted: Wanted, need: int) -> Hits:
    """Returns the first `need` hits by next start, then relevance; permanent entry comes last.

    Looks for the day up to which there are just about enough starts, instead of sorting every hit.
    """
    first = wanted.start_from
    limit = first + LONGEST if wanted.start_to is None else min(first + LONGEST, wanted.start_to)

    def starting(first: int, last: int) -> Query:
        return words.all_of(starting_between(wanted, first, last))

    def enough(last: int, filters: int = 2) -> bool:
        asked = starting_between(wanted, first, last)[:filters]
        return count(searcher, words.filtered([query], asked)) >= need

    low = _first_day(first, limit, partial(enough, filters=1))
    if len(starting_between(wanted, first, limit)) > 1:  # then it is no sooner, and takes longer to count
        low = _near(low, limit, enough)
    early = words.filtered([query], [starting(first, low - 1)])
    before = _all(searcher, early, need) if low > first else []
    before.sort(key=lambda item: _next_start(searcher, item[1], wanted))
    if len(before) >= need:
        return before[:need]
    rest = [starting(first, low - 1)] if low > first else []
    on_day = words.filtered([query], [starting(low, low)], rest)
    found = [*before, *_all(searcher, on_day, need - len(before))]
    if len(found) < need:
        undated = words.filtered([query], [], [starting(first, limit)])
        found += _all(searcher, undated, need - len(found))
    return found


def _first_day(low: int, high: int, enough: Callable[[int], bool]) -> int:
    """Returns the first day up to which there are enough, `high` where there never are."""
    return bisect_left(range(high), 1, low, max(low, high), key=enough)


def _near(low: int, high: int, enough: Callable[[int], bool]) -> int:
    """Like `_first_day`, where that is mostly `low` or soon after it."""
    at, step = low, 1
    while at < high and not enough(at):
        low, at, step = at + 1, min(at + step, high), 2 * step
    return _first_day(low, at, enough)


def _all(searcher: Searcher, query: Query, limit: int) -> Hits:
    return list(searcher.search(query, limit=max(limit, 1), count=False).hits)


def _next_start(searcher: Searcher, address: DocAddress, wanted: Wanted) -> int:
    session = next(passing(kept_sessions(searcher.doc(address)), wanted), None)
    return session.start if session is not None else LONGEST * 100
