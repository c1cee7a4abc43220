"""SearchService. Answers from the index alone: a search that finds its market data fresh asks no database."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, cast

from waymark.catalogue.v1 import search_pb2_grpc
from waymark.catalogue.v1.search_pb2 import SearchCoursesRequest, SearchCoursesResponse
from waymark.errors.v1 import reason_pb2

from services.catalogue.app import CatalogueApp
from services.catalogue.search import search
from services.catalogue.search.directory import is_damage
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mark

SIZE = 20


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
        snapshot = self.app.reader.snapshot()
        if snapshot is None:
            raise not_ready()
        try:
            labels = self.app.labels.snapshot()
            answer = search.search(request, snapshot, labels, self.app.market, offset, size)
        except BaseException as error:
            if not is_damage(error):
                raise
            self.app.forget_indexes()
            raise not_ready() from error
        if answer.more:
            binding = _binding(request, call.principal.subject)
            answer.response.next_page_token = self.app.signer.sign(binding, [offset + size])
        return answer.response


mark(SearchApi.SearchCourses, computes=True)  # public, so it has no relationships to ask


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
