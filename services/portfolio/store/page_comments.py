"""Invitations to comment on pages, the secret as a hash; and the comments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Some
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select, update
from waymark.portfolio.v1.page_comment_pb2 import PageComment, PageInvitation
from waymark.portfolio.v1.page_pb2 import SharedComment

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.domain.sharing import require_usable
from services.portfolio.store import locking
from services.portfolio.store.collection import Collection
from services.portfolio.store.columns import is_row
from services.portfolio.store.page_tables import page_comments, page_invitations
from services.portfolio.store.vault import Vault

State = PageInvitation.State
_TABLE = page_invitations


class Locked(NamedTuple):
    """What using a link needs to know of it; the row is locked."""

    holder: str
    id: str
    page: str
    remaining: int
    expires_at: datetime

    @property
    def name(self) -> str:
        """Resource name."""
        return names.child(self.holder, "pageInvitations", self.id)


def state_of(row: Row[Any], now: datetime) -> State.ValueType:
    """Returns the state of an invitation at `now` (UTC, the database's clock)."""
    if row.withdrawn_at:
        return State.STATE_WITHDRAWN
    if row.expires_at <= now:
        return State.STATE_EXPIRED
    return State.STATE_USED_UP if row.comments >= row.max_comments else State.STATE_OPEN


def _finish_invitation(invitation: PageInvitation, row: Row[Any], now: datetime) -> None:
    invitation.page = names.child(row.holder_id, "pages", row.page_id)
    invitation.max_comments, invitation.comments = row.max_comments, row.comments
    invitation.state = state_of(row, now)
    invitation.expire_time.FromDatetime(row.expires_at)


def _finish_comment(comment: PageComment, row: Row[Any], _now: datetime) -> None:
    comment.page = names.child(row.holder_id, "pages", row.page_id)
    comment.page_invitation = names.child(row.holder_id, "pageInvitations", row.invitation_id)
    comment.state = row.state


INVITATIONS = Collection(_TABLE, "pageInvitations", PageInvitation, _finish_invitation)
COMMENTS = Collection(page_comments, "pageComments", PageComment, _finish_comment)


def lock(tx: Transaction, token_hash: bytes) -> Locked:
    """Finds and locks the invitation of a token; raises Refusal(NOT_FOUND, SHARE_LINK_ENDED)."""
    locking.enter_by(tx, _TABLE, token_hash)
    row = tx.one(select(_TABLE).where(_TABLE.c.token_hash == token_hash).with_for_update())
    require_usable(state_of(row, tx.now), State.STATE_OPEN, State)
    return Locked(row.holder_id, row.id, row.page_id, row.max_comments - row.comments, row.expires_at)


def give(tx: Transaction, vault: Vault, link: Locked, comment: PageComment) -> PageComment:
    """Adds what was said by a locked invitation, and counts it; raises Refusal(QUOTA_EXCEEDED)."""
    _update(tx, link.holder, link.id, comments=_TABLE.c.comments + 1)
    columns: dict[str, Any] = {
        "page_id": link.page,
        "invitation_id": link.id,
        "state": PageComment.STATE_WAITING,
    }
    return COMMENTS.add(tx, vault, comment, **columns)


def withdraw(tx: Transaction, vault: Vault, invitation_id: str) -> PageInvitation:
    """Withdraws an invitation; one withdrawn before keeps its time. Raises Refusal(NOT_FOUND)."""
    withdrawn = func.coalesce(_TABLE.c.withdrawn_at, tx.now)
    _update(tx, vault.holder, invitation_id, withdrawn_at=withdrawn)
    return INVITATIONS.get(tx, vault, invitation_id)


def published(tx: Transaction, vault: Vault, page_ids: Some[str]) -> dict[str, list[SharedComment]]:
    """Returns the published comments of pages, by the page's id, oldest first."""
    query = (
        select(page_comments)
        .where(
            page_comments.c.holder_id == vault.holder,
            page_comments.c.page_id.in_(sorted(page_ids)),
            page_comments.c.state == PageComment.STATE_PUBLISHED,
        )
        .order_by(page_comments.c.id)
    )
    found = defaultdict(list)
    for row in tx.execute(query) if page_ids else ():
        comment = COMMENTS.shown(tx, vault, row)
        shown = SharedComment(author=comment.author, text=comment.text, comment_time=comment.create_time)
        found[row.page_id].append(shown)
    return found


def _update(tx: Transaction, holder: str, invitation_id: str, **values: Any) -> None:
    here = is_row(_TABLE, holder, invitation_id)
    tx.execute(update(_TABLE).where(here).values(updated_at=tx.now, **values))
