"""PageService. Pages are written down while no transaction is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty
from waymark.portfolio.v1 import page_pb2 as pb
from waymark.portfolio.v1 import page_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mark
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.documents import CHUNK
from services.portfolio.api.references import check_each
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.page_views import rendering
from services.portfolio.presenting import THINGS, presented
from services.portfolio.store.pages import PAGES
from services.portfolio.store.vault import open_vault


class PageApi(page_pb2_grpc.PageServiceServicer):
    """Pages of chosen things."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreatePage(self, tx: Transaction, request: pb.CreatePageRequest) -> pb.Page:
        (holder,) = names.parse(request.parent, "holders")
        vault, page = open_vault(tx, self.app.keys, holder), _laid_out(without_outputs(request.page))
        _check(tx, holder, page.blocks, before=())
        return PAGES.add(tx, vault, page)

    @portfolio_call
    def GetPage(self, tx: Transaction, request: pb.GetPageRequest) -> pb.Page:
        holder, page_id = names.parse(request.name, "holders", "pages")
        return PAGES.get(tx, open_vault(tx, self.app.keys, holder), page_id)

    @portfolio_call
    def ListPages(self, tx: Transaction, request: pb.ListPagesRequest) -> pb.ListPagesResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = PAGES.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListPagesResponse(pages=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def UpdatePage(self, tx: Transaction, request: pb.UpdatePageRequest) -> pb.Page:
        holder, page_id = names.parse(request.page.name, "holders", "pages")
        vault = open_vault(tx, self.app.keys, holder)
        current = PAGES.get(tx, vault, page_id, etag=request.page.etag, lock=True)
        page = _laid_out(merged(current, request.page, request.update_mask, "page"))
        _check(tx, holder, page.blocks, before=current.blocks)
        return PAGES.replace(tx, vault, page_id, page)

    @portfolio_call
    def DeletePage(self, tx: Transaction, request: pb.DeletePageRequest) -> Empty:
        holder, page_id = names.parse(request.name, "holders", "pages")
        PAGES.remove(tx, holder, page_id, request.etag)
        return Empty()

    @mark
    def RenderPage(self, request: pb.RenderPageRequest, call: Any) -> Iterator[HttpBody]:
        found: list[pb.SharedPage] = []

        @portfolio_call
        def gathered(self: PageApi, tx: Transaction, request: pb.RenderPageRequest) -> Empty:
            holder, page_id = names.parse(request.name, "holders", "pages")
            vault = open_vault(tx, self.app.keys, holder)
            found[:] = presented(tx, vault, [PAGES.get(tx, vault, page_id)])
            return Empty()

        gathered(self, request, call)
        yield from written(found, request.format)


def written(pages: Sequence[pb.SharedPage], format_: pb.PageFormat.ValueType) -> Iterator[HttpBody]:
    """Yields pages as a document, in parts as large as a message may be."""
    as_pdf = format_ == pb.PAGE_FORMAT_PDF
    content = rendering.as_pdf(pages) if as_pdf else rendering.as_html(pages)
    content_type = "application/pdf" if as_pdf else "text/html; charset=utf-8"
    for start in range(0, len(content), CHUNK):
        yield HttpBody(content_type=content_type, data=content[start : start + CHUNK])


def _laid_out(page: pb.Page) -> pb.Page:
    page.template = page.template or pb.PAGE_TEMPLATE_STORY
    return page


def _check(
    tx: Transaction, holder: str, blocks: Sequence[pb.PageBlock], *, before: Sequence[pb.PageBlock]
) -> None:
    """Raises Refusal(INVALID_ARGUMENT) naming the blocks whose thing this portfolio does not have.

    Blocks that the page had `before` may name what was removed since, so that the rest can be changed.
    """
    for field, collection in THINGS.items():
        named = {
            f"page.blocks[{index}].{field}": getattr(block, field)
            for index, block in enumerate(blocks)
            if block.WhichOneof("content") == field and block not in before
        }
        check_each(tx, holder, collection, named)
