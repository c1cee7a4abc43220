"""Courses like one: for the same occupations, for others of their groups, or of similar title."""

from __future__ import annotations

from tantivy import DocAddress, Query, Searcher
from waymark.catalogue.v1.search_pb2 import (
    CourseHit,
    FindSimilarCoursesRequest,
    FindSimilarCoursesResponse,
    SearchReason,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last
from services.catalogue.search import weights, words
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.filters import understand
from services.catalogue.search.hits import Hits, add_hits, put_first
from services.catalogue.search.market import Market
from services.catalogue.search.meaning import GROUP_DIGITS, points
from services.platform.errors import Refusal

SIZE = 10


def similar_courses(
    request: FindSimilarCoursesRequest, snapshot: Snapshot, market: Market
) -> FindSimilarCoursesResponse:
    """Answers; raises Refusal(NOT_FOUND, INVALID_ARGUMENT), IndexDamaged."""
    view = market.view()
    wanted = understand(request.among, market, view, snapshot)
    searcher, course = snapshot.searcher, last(request.name)
    own = words.any_of("id", [course])
    found = searcher.search(own, 1, count=False).hits
    if not found:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, "No such course is offered.")
    model = _model(searcher, found[0][1])
    query = words.filtered([_like(model)], wanted.filters, [own, *wanted.excluded])
    answer = FindSimilarCoursesResponse()
    hits = searcher.search(query, request.page_size or SIZE, count=False).hits
    add_hits(answer.hits, searcher, hits, request.among.occupations, wanted, view)
    _add_reasons(answer.hits, model)
    return answer


def _model(searcher: Searcher, address: DocAddress) -> CourseHit:
    return CourseHit.FromString(bytes(searcher.doc(address).get_first("hit") or b""))


def _like(model: CourseHit) -> Query:
    options = [words.anything(title, language) for language, title in model.titles.items()]
    for tag in model.occupations:
        options.append(points("uri", tag.uri, weights.TAGGED))
        if len(tag.isco_code) == GROUP_DIGITS:
            options.append(points("isco", tag.isco_code, weights.GROUP))
    return words.either([option for option in options if option is not None])


def _add_reasons(hits: Hits, model: CourseHit) -> None:
    labels = {tag.uri: tag.label for tag in model.occupations}
    groups = {tag.isco_code: tag for tag in model.occupations}
    title = next(iter(model.titles.values()), "")
    for hit in hits:
        reasons = []
        for tag in hit.occupations:
            if tag.uri in labels:
                kind, same = SearchReason.KIND_CONCEPT, tag
            elif tag.isco_code in groups:
                kind, same = SearchReason.KIND_NEAR_CONCEPT, groups[tag.isco_code]
            else:
                continue
            reasons.append(SearchReason(kind=kind, evidence=same.uri, label=same.label))
        put_first(hit, reasons or [SearchReason(kind=SearchReason.KIND_SOME_WORDS, evidence=title)])
