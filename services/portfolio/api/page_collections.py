"""PageCollectionService."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty
from waymark.portfolio.v1 import page_collection_pb2 as pb
from waymark.portfolio.v1 import page_collection_pb2_grpc
from waymark.portfolio.v1.page_pb2 import SharedPage

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mark
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.pages import written
from services.portfolio.api.references import check_own
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.presenting import presented
from services.portfolio.store.pages import PAGE_COLLECTIONS, PAGES, named
from services.portfolio.store.vault import open_vault


class PageCollectionApi(page_collection_pb2_grpc.PageCollectionServiceServicer):
    """Pages that belong together."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreatePageCollection(
        self, tx: Transaction, request: pb.CreatePageCollectionRequest
    ) -> pb.PageCollection:
        (holder,) = names.parse(request.parent, "holders")
        vault, collection = open_vault(tx, self.app.keys, holder), without_outputs(request.page_collection)
        check_own(tx, holder, PAGES, {"page_collection.pages": collection.pages})
        return PAGE_COLLECTIONS.add(tx, vault, collection)

    @portfolio_call
    def GetPageCollection(self, tx: Transaction, request: pb.GetPageCollectionRequest) -> pb.PageCollection:
        holder, row_id = names.parse(request.name, "holders", "pageCollections")
        return PAGE_COLLECTIONS.get(tx, open_vault(tx, self.app.keys, holder), row_id)

    @portfolio_call
    def ListPageCollections(
        self, tx: Transaction, request: pb.ListPageCollectionsRequest
    ) -> pb.ListPageCollectionsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = PAGE_COLLECTIONS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListPageCollectionsResponse(
            page_collections=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def UpdatePageCollection(
        self, tx: Transaction, request: pb.UpdatePageCollectionRequest
    ) -> pb.PageCollection:
        change = request.page_collection
        holder, row_id = names.parse(change.name, "holders", "pageCollections")
        vault = open_vault(tx, self.app.keys, holder)
        current = PAGE_COLLECTIONS.get(tx, vault, row_id, etag=change.etag, lock=True)
        collection = merged(current, change, request.update_mask, "page_collection")
        # Pages that were removed since stay where they are, as nothing; only new ones must be there.
        added = [page for page in collection.pages if page not in current.pages]
        check_own(tx, holder, PAGES, {"page_collection.pages": added})
        return PAGE_COLLECTIONS.replace(tx, vault, row_id, collection)

    @portfolio_call
    def DeletePageCollection(self, tx: Transaction, request: pb.DeletePageCollectionRequest) -> Empty:
        holder, row_id = names.parse(request.name, "holders", "pageCollections")
        PAGE_COLLECTIONS.remove(tx, holder, row_id, request.etag)
        return Empty()

    @mark
    def RenderPageCollection(self, request: pb.RenderPageCollectionRequest, call: Any) -> Iterator[HttpBody]:
        found: list[SharedPage] = []

        @portfolio_call
        def gathered(
            self: PageCollectionApi, tx: Transaction, request: pb.RenderPageCollectionRequest
        ) -> Empty:
            holder, row_id = names.parse(request.name, "holders", "pageCollections")
            vault = open_vault(tx, self.app.keys, holder)
            PAGE_COLLECTIONS.get(tx, vault, row_id)
            found[:] = presented(tx, vault, named(tx, vault, [request.name]))
            return Empty()

        gathered(self, request, call)
        yield from written(found, request.format)
