"""PageCommentService."""

from __future__ import annotations

from datetime import UTC, timedelta

from waymark.portfolio.v1 import page_comment_pb2 as pb
from waymark.portfolio.v1 import page_comment_pb2_grpc
from waymark.portfolio.v1.events_pb2 import PageCommentGiven

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_each
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_expiry
from services.portfolio.presenting import presented
from services.portfolio.store import access_records, page_comments
from services.portfolio.store.page_comments import COMMENTS, INVITATIONS, Locked
from services.portfolio.store.pages import PAGES
from services.portfolio.store.vault import Vault, open_vault

LONGEST = timedelta(days=90)


class PageCommentApi(page_comment_pb2_grpc.PageCommentServiceServicer):
    """Comments by invited people, shown once the holder publishes them."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call(answer_stored=False)
    def CreatePageInvitation(
        self, tx: Transaction, request: pb.CreatePageInvitationRequest
    ) -> pb.CreatePageInvitationResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault, wanted = open_vault(tx, self.app.keys, holder), without_outputs(request.page_invitation)
        check_each(tx, holder, PAGES, {"page_invitation.page": wanted.page})
        check_expiry("page_invitation.expire_time", wanted.expire_time, now=tx.now, longest=LONGEST)
        token = self.app.links.new_token()
        made = INVITATIONS.add(
            tx,
            vault,
            pb.PageInvitation(label=wanted.label),
            page_id=names.last(wanted.page),
            token_hash=self.app.links.token_hash(token),
            max_comments=wanted.max_comments,
            expires_at=wanted.expire_time.ToDatetime(UTC),
        )
        return pb.CreatePageInvitationResponse(page_invitation=made, token=token)

    @portfolio_call
    def ListPageInvitations(
        self, tx: Transaction, request: pb.ListPageInvitationsRequest
    ) -> pb.ListPageInvitationsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = INVITATIONS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListPageInvitationsResponse(
            page_invitations=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def WithdrawPageInvitation(
        self, tx: Transaction, request: pb.WithdrawPageInvitationRequest
    ) -> pb.PageInvitation:
        holder, row_id = names.parse(request.name, "holders", "pageInvitations")
        return page_comments.withdraw(tx, open_vault(tx, self.app.keys, holder), row_id)

    @mutation
    def OpenPageInvitation(
        self, tx: Transaction, request: pb.OpenPageInvitationRequest
    ) -> pb.OpenPageInvitationResponse:
        link, vault = self._used(tx, request.token)
        (page,) = presented(tx, vault, [PAGES.get(tx, vault, link.page)])
        _log(tx, link, "OpenPageInvitation")
        answer = pb.OpenPageInvitationResponse(page=page, remaining_comments=link.remaining)
        answer.expire_time.FromDatetime(link.expires_at)
        return answer

    @mutation
    def GivePageComment(
        self, tx: Transaction, request: pb.GivePageCommentRequest
    ) -> pb.GivePageCommentResponse:
        link, vault = self._used(tx, request.token)
        comment = pb.PageComment(author=request.author, text=request.text)
        made = page_comments.give(tx, vault, link, comment)
        _log(tx, link, "GivePageComment")
        tx.publish(PageCommentGiven(holder=names.holder(link.holder), page_comment=made.name))
        return pb.GivePageCommentResponse(remaining_comments=link.remaining - 1)

    @portfolio_call
    def ListPageComments(
        self, tx: Transaction, request: pb.ListPageCommentsRequest
    ) -> pb.ListPageCommentsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = COMMENTS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListPageCommentsResponse(page_comments=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def PublishPageComment(self, tx: Transaction, request: pb.PublishPageCommentRequest) -> pb.PageComment:
        return self._moderated(tx, request.name, pb.PageComment.STATE_PUBLISHED)

    @portfolio_call
    def HidePageComment(self, tx: Transaction, request: pb.HidePageCommentRequest) -> pb.PageComment:
        return self._moderated(tx, request.name, pb.PageComment.STATE_HIDDEN)

    def _moderated(self, tx: Transaction, name: str, state: pb.PageComment.State.ValueType) -> pb.PageComment:
        holder, row_id = names.parse(name, "holders", "pageComments")
        vault = open_vault(tx, self.app.keys, holder)
        comment = COMMENTS.get(tx, vault, row_id, lock=True)
        return COMMENTS.replace(tx, vault, row_id, comment, state=state)

    def _used(self, tx: Transaction, token: str) -> tuple[Locked, Vault]:
        link = page_comments.lock(tx, self.app.links.token_hash(token))
        return link, open_vault(tx, self.app.keys, link.holder)


def _log(tx: Transaction, link: Locked, action: str) -> None:
    resource = names.child(link.holder, "pages", link.page)
    access_records.write(tx, link.holder, action=action, resource=resource, grant=link.name)
