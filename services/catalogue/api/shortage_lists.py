"""ShortageListService: lists. Answers are in `shortage_answers.py`, versions in `shortage_versions.py`,
drafts from assessments in `shortage_drafts.py`."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import shortage_list_pb2_grpc
from waymark.catalogue.v1.shortage_list_pb2 import (
    CheckShortageRequest,
    CheckShortageResponse,
    CreateShortageListRequest,
    GetShortageListRequest,
    ListShortageListsRequest,
    ListShortageListsResponse,
    ShortageList,
)

from services.catalogue.api.messages import last
from services.catalogue.api.shortage_answers import check
from services.catalogue.api.shortage_drafts import ShortageDraftApi
from services.catalogue.api.shortage_versions import ShortageVersionApi
from services.catalogue.store import shortage_lists
from services.catalogue.store.tables import shortage_lists as table
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mark, mutation, query


class ShortageListApi(
    ShortageVersionApi, ShortageDraftApi, shortage_list_pb2_grpc.ShortageListServiceServicer
):
    """Lists of occupations in shortage."""

    @mutation
    def CreateShortageList(self, tx: Transaction, request: CreateShortageListRequest) -> ShortageList:
        list_id = request.shortage_list_id or new_id()
        shortage_lists.add(tx, list_id, dict(request.display_names), request.nuts_code)
        return _message(shortage_lists.read(tx.connection, list_id))

    @query
    def GetShortageList(self, tx: Transaction, request: GetShortageListRequest) -> ShortageList:
        return _message(shortage_lists.read(tx.connection, last(request.name)))

    @query
    def ListShortageLists(
        self, tx: Transaction, request: ListShortageListsRequest
    ) -> ListShortageListsResponse:
        found = page(tx, self.app.signer, shortage_lists.listing(), order_by=[table.c.id], request=request)
        return ListShortageListsResponse(
            shortage_lists=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mark  # public, so it has no relationships to ask
    def CheckShortage(self, request: CheckShortageRequest, _: object) -> CheckShortageResponse:
        return check(self.app.shortages, request)


def _message(row: Any) -> ShortageList:
    answer = ShortageList(
        name=f"shortageLists/{row.id}", display_names=row.display_names, nuts_code=row.nuts_code
    )
    answer.create_time.FromDatetime(row.create_time)
    return answer
