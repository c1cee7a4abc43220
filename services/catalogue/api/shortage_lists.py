"""ShortageListService: lists and the as-of answer; versions are in `shortage_versions.py`, drafts
from assessments in `shortage_drafts.py`."""

from __future__ import annotations

from datetime import date
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

from services.catalogue.api.messages import day_or, last, put_date
from services.catalogue.api.occupation_names import occupation_of
from services.catalogue.api.shortage_drafts import ShortageDraftApi
from services.catalogue.api.shortage_versions import ShortageVersionApi, entry_message
from services.catalogue.domain import shortage
from services.catalogue.domain.shortage import Occupation
from services.catalogue.store import shortage_lists
from services.catalogue.store.tables import shortage_lists as table
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query


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

    @query
    def CheckShortage(self, tx: Transaction, request: CheckShortageRequest) -> CheckShortageResponse:
        only = last(request.shortage_list) if request.shortage_list else ""
        if only:
            shortage_lists.read(tx.connection, only)
        asked = day_or(request, "date", tx.now.date())
        return check(tx, occupation_of(tx, request.occupation), request.nuts_code, asked, only)


def check(
    tx: Transaction, occupation: Occupation, nuts_code: str, asked: date, only: str
) -> CheckShortageResponse:
    """Answers from the versions in force on the day; over several lists the most specific entry answers."""
    answer = CheckShortageResponse()
    put_date(answer.date, asked)
    codes = [occupation.isco_code[:length] for length in range(1, len(occupation.isco_code) + 1)]
    found: list[tuple[tuple[int, ...], str, int, Any]] = []
    for list_id, versions in shortage_lists.published(tx.connection, only).items():
        version = shortage.in_force(versions, asked)
        if version is None:
            continue
        answer.version = answer.version or f"shortageLists/{list_id}/versions/{version.number}"
        entries = shortage_lists.candidates(tx.connection, list_id, version.number, occupation.uri, codes)
        entry = shortage.best(entries, occupation, nuts_code)
        if entry is not None:
            found.append((shortage.specificity(entry), list_id, version.number, entry))
    if found:
        _, list_id, number, entry = max(found, key=lambda item: item[0])
        answer.short = True
        answer.version = f"shortageLists/{list_id}/versions/{number}"
        answer.entry.CopyFrom(entry_message(list_id, number, entry))
    return answer


def _message(row: Any) -> ShortageList:
    answer = ShortageList(
        name=f"shortageLists/{row.id}", display_names=row.display_names, nuts_code=row.nuts_code
    )
    answer.create_time.FromDatetime(row.create_time)
    return answer
