"""ShareLinkService."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from google.api.httpbody_pb2 import HttpBody
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import share_link_pb2 as pb
from waymark.portfolio.v1 import share_link_pb2_grpc
from waymark.portfolio.v1.events_pb2 import ShareLinkOpened
from waymark.portfolio.v1.evidence_pb2 import Evidence, EvidenceDownload
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mark
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.evidence import download_of
from services.portfolio.api.pages import written
from services.portfolio.api.references import check_each
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names, sharing
from services.portfolio.domain.dates import check_expiry, refuse
from services.portfolio.domain.scan_states import require_served
from services.portfolio.showing import shown
from services.portfolio.store import access_records, share_links
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.pages import PAGE_COLLECTIONS, PAGES
from services.portfolio.store.vault import Vault, open_vault

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
        _check_anonymous(link)
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

    @mark
    def OpenShareLink(self, request: pb.OpenShareLinkRequest, call: Call) -> pb.OpenShareLinkResponse:
        return self._opened(request, call)

    @mark
    def OpenSharedPages(self, request: pb.OpenSharedPagesRequest, call: Call) -> Iterator[HttpBody]:
        opened = self._opened(request, call, part="pages")
        yield from written(opened.portfolio.pages, request.format)

    @mark
    def GetSharedFile(self, request: pb.GetSharedFileRequest, call: Call) -> EvidenceDownload:
        opened = self._opened(request, call)
        (evidence,) = opened.portfolio.evidence
        return download_of(self.app, evidence)

    def _opened(self, request: Any, call: Call, *, part: str = "") -> pb.OpenShareLinkResponse:
        """Opens a link, or one `part` of what it shows, or the file that is asked for; in two transactions,
        because a try at the PIN counts even though the call is refused."""
        with transaction(self.app, timeout=call.remaining()) as tx:
            link = share_links.lock(tx, self.app.links.token_hash(request.token))
            _fields(link, part)
            if isinstance(request, pb.GetSharedFileRequest) and not link.files:
                raise Refusal(reason_pb2.REASON_NOT_FOUND)
            sharing.require_active(link.state)
            if link.pin_hash:
                share_links.charge_try(tx, link)
        # Outside any transaction, because argon2 takes its time.
        if link.pin_hash and not self.app.links.pin_matches(link.pin_hash, request.pin):
            raise Refusal(reason_pb2.REASON_SHARE_LINK_PIN_WRONG)
        with transaction(self.app, timeout=call.remaining()) as tx:
            return self._shown(tx, request, part)

    def _shown(self, tx: Transaction, request: Any, part: str) -> pb.OpenShareLinkResponse:
        """Counts, logs and shows in one transaction; the try was paid, so that a full budget is no bar."""
        link = share_links.lock(tx, self.app.links.token_hash(request.token))
        if link.state != pb.ShareLink.STATE_LOCKED:
            sharing.require_active(link.state)
        vault, fields = open_vault(tx, self.app.keys, link.holder), _fields(link, part)
        portfolio = shown(tx, vault, fields, link.pages, anonymous=link.anonymous)
        resource = names.holder(link.holder)
        if isinstance(request, pb.GetSharedFileRequest):
            resource = request.evidence
            portfolio = SharedPortfolio(evidence=[_file(tx, vault, portfolio, resource)])
        share_links.count_use(tx, link)
        access_records.write(
            tx,
            link.holder,
            action=request.DESCRIPTOR.name.removesuffix("Request"),
            resource=resource,
            grant=link.name,
            fields=fields,
        )
        tx.publish(ShareLinkOpened(holder=names.holder(link.holder), share_link=link.name))
        response = pb.OpenShareLinkResponse(
            portfolio=portfolio,
            fields=fields,
            remaining_uses=link.remaining_uses - 1,
            # The holder's own words, that may tell whose it is.
            purpose="" if link.anonymous else share_links.purpose_of(vault, link.id, link.sealed),
        )
        response.expire_time.FromDatetime(link.expires_at)
        return response


def _fields(link: share_links.Locked, part: str) -> list[str]:
    """Returns the fields that a link shows, of one part where it is named; raises Refusal(NOT_FOUND) when it
    shows nothing of that part."""
    fields = [path for path in link.fields if not part or path.split(".")[0] == part]
    if not fields:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return fields


def _file(tx: Transaction, vault: Vault, portfolio: SharedPortfolio, name: str) -> Evidence:
    """Returns a file that a link shows, by itself or on a page; raises Refusal(NOT_FOUND) for any other, and
    what `require_served` raises."""
    on_pages = (item.evidence for page in portfolio.pages for item in page.items)
    if name not in {each.name for each in (*portfolio.evidence, *on_pages)}:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    found = EVIDENCE.get(tx, vault, names.last(name))
    require_served(found, to_holder=False)
    return found


def _check_anonymous(link: pb.ShareLink) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for fields that are never shown without saying whose they are."""
    named = [
        Violation(f"share_link.fields[{index}]", "is never shown anonymously")
        for index, path in enumerate(link.fields)
        if link.anonymous and path.partition(".")[0] not in ("entries", "skill_claims")
    ]
    refuse(named)


def _check_pages(tx: Transaction, holder: str, link: pb.ShareLink) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for pages that are not the holder's, or that no field shows."""
    where = "share_link.pages"
    if link.pages and "pages" not in sharing.roots(link.fields):
        refuse([Violation(where, "needs `pages` among the fields")])
    of_collections = f"/{PAGE_COLLECTIONS.segment}/"
    each = {f"{where}[{index}]": name for index, name in enumerate(link.pages)}
    check_each(tx, holder, PAGE_COLLECTIONS, {path: n for path, n in each.items() if of_collections in n})
    check_each(tx, holder, PAGES, {path: n for path, n in each.items() if of_collections not in n})
