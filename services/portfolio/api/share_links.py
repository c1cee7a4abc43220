"""ShareLinkService."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import share_link_pb2 as pb
from waymark.portfolio.v1 import share_link_pb2_grpc
from waymark.portfolio.v1.events_pb2 import ShareLinkOpened

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mark
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_each
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names, sharing
from services.portfolio.domain.dates import check_expiry, refuse
from services.portfolio.showing import shown
from services.portfolio.store import access_records, share_links
from services.portfolio.store.pages import PAGE_COLLECTIONS, PAGES
from services.portfolio.store.vault import open_vault

if TYPE_CHECKING:
    from services.platform.rpc.call import Call

LONGEST = timedelta(days=366)


class ShareLinkApi(share_link_pb2_grpc.ShareLinkServiceServicer):
    """Secret links to chosen fields of a portfolio."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call(answer_stored=False)
    def CreateShareLink(
        self, tx: Transaction, request: pb.CreateShareLinkRequest
    ) -> pb.CreateShareLinkResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        link = without_outputs(request.share_link)
        sharing.check_fields(link.fields, "share_link.fields")
        _check_pages(tx, holder, link)
        check_expiry("share_link.expire_time", link.expire_time, now=tx.now, longest=LONGEST)
        secrets = self.app.links
        token = secrets.new_token()
        pin_hash = secrets.pin_hash(request.pin) if request.pin else ""
        made = share_links.create(tx, vault, link, token_hash=secrets.token_hash(token), pin_hash=pin_hash)
        return pb.CreateShareLinkResponse(share_link=made, token=token)

    @portfolio_call
    def ListShareLinks(self, tx: Transaction, request: pb.ListShareLinksRequest) -> pb.ListShareLinksResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = share_links.listed(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListShareLinksResponse(share_links=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def RevokeShareLink(self, tx: Transaction, request: pb.RevokeShareLinkRequest) -> pb.ShareLink:
        holder, link_id = names.parse(request.name, "holders", "shareLinks")
        return share_links.revoke(tx, open_vault(tx, self.app.keys, holder), link_id)

    @mark  # two transactions: a try at the PIN counts even though the call is refused
    def OpenShareLink(self, request: pb.OpenShareLinkRequest, call: Call) -> pb.OpenShareLinkResponse:
        with transaction(self.app, timeout=call.remaining()) as tx:
            link = share_links.lock(tx, self.app.links.token_hash(request.token))
            sharing.require_active(link.state)
            if link.pin_hash:
                share_links.charge_try(tx, link)
        # Outside any transaction, because argon2 takes its time.
        if link.pin_hash and not self.app.links.pin_matches(link.pin_hash, request.pin):
            raise Refusal(reason_pb2.REASON_SHARE_LINK_PIN_WRONG)
        with transaction(self.app, timeout=call.remaining()) as tx:
            return self._shown(tx, request.token)

    def _shown(self, tx: Transaction, token: str) -> pb.OpenShareLinkResponse:
        """Counts, logs and shows in one transaction; the try was paid, so that a full budget is no bar."""
        link = share_links.lock(tx, self.app.links.token_hash(token))
        if link.state != pb.ShareLink.STATE_LOCKED:
            sharing.require_active(link.state)
        vault = open_vault(tx, self.app.keys, link.holder)
        portfolio = shown(tx, vault, link.fields, link.pages)
        share_links.count_use(tx, link)
        access_records.write(
            tx,
            link.holder,
            action="OpenShareLink",
            resource=names.holder(link.holder),
            grant=link.name,
            fields=link.fields,
        )
        tx.publish(ShareLinkOpened(holder=names.holder(link.holder), share_link=link.name))
        response = pb.OpenShareLinkResponse(
            portfolio=portfolio, fields=link.fields, remaining_uses=link.remaining_uses - 1
        )
        response.expire_time.FromDatetime(link.expires_at)
        return response


def _check_pages(tx: Transaction, holder: str, link: pb.ShareLink) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for pages that are not the holder's, or that no field shows."""
    where = "share_link.pages"
    if link.pages and "pages" not in sharing.roots(link.fields):
        refuse([Violation(where, "needs `pages` among the fields")])
    of_collections = f"/{PAGE_COLLECTIONS.segment}/"
    each = {f"{where}[{index}]": name for index, name in enumerate(link.pages)}
    check_each(tx, holder, PAGE_COLLECTIONS, {path: n for path, n in each.items() if of_collections in n})
    check_each(tx, holder, PAGES, {path: n for path, n in each.items() if of_collections not in n})
