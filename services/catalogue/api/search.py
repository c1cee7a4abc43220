"""SearchService. Answers from the index alone: a search that finds its market data fresh asks no database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar, cast

from waymark.catalogue.v1 import search_pb2_grpc
from waymark.catalogue.v1.exposure_pb2 import Exposure
from waymark.catalogue.v1.search_pb2 import (
    CourseHit,
    FindSimilarCoursesRequest,
    FindSimilarCoursesResponse,
    RecommendCoursesRequest,
    RecommendCoursesResponse,
    SearchCoursesRequest,
    SearchCoursesResponse,
    SuggestTermsRequest,
    SuggestTermsResponse,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue.app import CatalogueApp
from services.catalogue.search import like, recommend, search, suggest
from services.catalogue.search.damage import IndexDamaged
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.label_index import Labels
from services.catalogue.search.market import Market
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mark

SIZE = 20
Answered = TypeVar("Answered")


class Indexed(NamedTuple):
    """What searches are answered from; `labels`: None while they are not known yet."""

    courses: Snapshot
    labels: Labels | None
    market: Market

    def known_labels(self) -> Labels:
        """Returns the labels; raises Refusal(SEARCH_NOT_READY) while they are not known."""
        if self.labels is None:
            raise not_ready()
        return self.labels


class SearchApi(search_pb2_grpc.SearchServiceServicer):
    """Finds courses."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    def SearchCourses(self, request: SearchCoursesRequest, call: Any) -> SearchCoursesResponse:
        size = request.page_size or SIZE
        offset = 0
        if request.page_token:
            binding = _binding(request, call.principal.subject)
            offset = int(cast(int, self.app.signer.read(binding, request.page_token)[0]))
        answer = from_indexes(
            self.app,
            lambda i: search.search(request, i.courses, i.labels, i.market, offset, size, self.app.nearest),
        )
        kind = Exposure.KIND_WORDS if request.query.strip() else Exposure.KIND_FILTERS
        self._count(kind, answer.response.hits, offset)
        if answer.more:
            binding = _binding(request, call.principal.subject)
            answer.response.next_page_token = self.app.signer.sign(binding, [offset + size])
        return answer.response

    def SuggestTerms(self, request: SuggestTermsRequest, _call: Any) -> SuggestTermsResponse:
        return from_indexes(
            self.app,
            lambda i: SuggestTermsResponse(
                suggestions=suggest.suggest(request, i.courses, i.labels, i.market.view())
            ),
        )

    def FindSimilarCourses(
        self, request: FindSimilarCoursesRequest, _call: Any
    ) -> FindSimilarCoursesResponse:
        answer = from_indexes(self.app, lambda i: like.similar_courses(request, i.courses, i.market))
        self._count(Exposure.KIND_SIMILAR, answer.hits)
        return answer

    def RecommendCourses(self, request: RecommendCoursesRequest, _call: Any) -> RecommendCoursesResponse:
        def answered(indexed: Indexed) -> RecommendCoursesResponse:
            return recommend.recommend(request, indexed.courses, indexed.known_labels(), indexed.market)

        answer = from_indexes(self.app, answered)
        self._count(Exposure.KIND_RECOMMENDED, [each.hit for each in answer.recommendations])
        return answer

    def _count(self, kind: int, hits: Iterable[CourseHit], offset: int = 0) -> None:
        self.app.exposures.add(self.app.market.view().today, kind, hits, offset)


# Public, so they have no relationships to ask.
for served in (
    SearchApi.SearchCourses,
    SearchApi.SuggestTerms,
    SearchApi.FindSimilarCourses,
    SearchApi.RecommendCourses,
):
    mark(served, computes=True)


def from_indexes(app: CatalogueApp, work: Callable[[Indexed], Answered]) -> Answered:
    """Answers from the newest view of the indexes; one that turns out damaged is made anew.

    Raises Refusal(SEARCH_NOT_READY) until then, and while there is none.
    """
    courses = app.reader.snapshot()
    if courses is None:
        raise not_ready()
    try:
        return work(Indexed(courses, app.labels.snapshot(), app.market))
    except IndexDamaged as error:
        app.forget_indexes()
        raise not_ready() from error


def not_ready() -> Refusal:
    """Returns the refusal while the index is built."""
    return Refusal(reason_pb2.REASON_SEARCH_NOT_READY, retry_after=timedelta(seconds=2))


def _binding(request: SearchCoursesRequest, subject: str) -> str:
    """Returns what a page token is good for: this search by this caller, whatever the page size."""
    bare = SearchCoursesRequest()
    bare.CopyFrom(request)
    bare.ClearField("page_token")
    bare.ClearField("page_size")
    digest = hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()
    return f"SearchCourses\x1f{subject}\x1f{digest}"
