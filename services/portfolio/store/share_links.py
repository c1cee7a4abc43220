"""Share links: secrets as hashes, label and purpose sealed, uses and wrong PINs counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, func, insert, select, update
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.mandate_pb2 import MANDATE_LEGAL_BASIS_CONSENT
from waymark.portfolio.v1.share_link_pb2 import ListShareLinksRequest, ShareLink

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names, sharing
from services.portfolio.store import locking
from services.portfolio.store.collection import Paged, check_room
from services.portfolio.store.columns import is_row
from services.portfolio.store.tables import share_links
from services.portfolio.store.vault import Vault


class Locked(NamedTuple):
    """What opening needs to know of a link; the row is locked."""

    holder: str
    id: str
    name: str
    pin_hash: str
    fields: list[str]
    pages: list[str]
    anonymous: bool
    files: bool
    sealed: bytes
    remaining_uses: int
    expires_at: datetime
    state: sharing.State


def create(tx: Transaction, vault: Vault, link: ShareLink, *, token_hash: bytes, pin_hash: str) -> ShareLink:
    """Adds a link; raises Refusal(QUOTA_EXCEEDED)."""
    check_room(tx, share_links, vault.holder)
    row_id = new_id()
    row = tx.execute(
        insert(share_links)
        .values(
            holder_id=vault.holder,
            id=row_id,
            token_hash=token_hash,
            pin_hash=pin_hash,
            fields=list(link.fields),
            pages=list(link.pages),
            anonymous=link.anonymous,
            files=link.files,
            max_uses=link.max_uses,
            sealed=vault.seal(share_links, row_id, ShareLink(label=link.label, purpose=link.purpose)),
            expires_at=link.expire_time.ToDatetime(tzinfo=tx.now.tzinfo),
            created_at=tx.now,
        )
        .returning(share_links)
    ).one()
    return _shown(vault, row, tx.now)


def listed(
    tx: Transaction, signer: PageTokenSigner, vault: Vault, request: ListShareLinksRequest
) -> Paged[ShareLink]:
    """Returns a page of a holder's links, newest first."""
    found = page(
        tx,
        signer,
        select(share_links).where(share_links.c.holder_id == vault.holder),
        order_by=[share_links.c.id.desc()],
        request=request,
        filters={"holder": vault.holder},
    )
    return Paged([_shown(vault, row, tx.now) for row in found.rows], found.next_page_token)


def revoke(tx: Transaction, vault: Vault, link_id: str) -> ShareLink:
    """Withdraws a link; one withdrawn before keeps its time. Raises Refusal(NOT_FOUND)."""
    row = tx.execute(
        update(share_links)
        .where(is_row(share_links, vault.holder, link_id))
        .values(revoked_at=func.coalesce(share_links.c.revoked_at, tx.now))
        .returning(share_links)
    ).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return _shown(vault, row, tx.now)


def lock(tx: Transaction, token_hash: bytes) -> Locked:
    """Finds and locks the link of a token; raises Refusal(NOT_FOUND)."""
    locking.enter_by(tx, share_links, token_hash)
    row = tx.one(select(share_links).where(share_links.c.token_hash == token_hash).with_for_update())
    return Locked(
        holder=row.holder_id,
        id=row.id,
        name=names.child(row.holder_id, "shareLinks", row.id),
        pin_hash=row.pin_hash,
        fields=list(row.fields),
        pages=list(row.pages),
        anonymous=row.anonymous,
        files=row.files,
        sealed=row.sealed,
        remaining_uses=row.max_uses - row.uses,
        expires_at=row.expires_at,
        state=_state(row, tx.now),
    )


def charge_try(tx: Transaction, link: Locked) -> None:
    """Counts a try at the PIN as a wrong one, before anybody looks whether it is."""
    _update(tx, link, pin_failures=share_links.c.pin_failures + 1)


def count_use(tx: Transaction, link: Locked) -> None:
    """Counts an opening, which also gives back the tries at the PIN."""
    _update(tx, link, uses=share_links.c.uses + 1, pin_failures=0)


def _update(tx: Transaction, link: Locked, **values: Any) -> None:
    tx.execute(
        update(share_links)
        .where(share_links.c.holder_id == link.holder, share_links.c.id == link.id)
        .values(**values)
    )


def _state(row: Row[Any], now: datetime) -> sharing.State:
    return sharing.state_of(
        now=now,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        uses=row.uses,
        max_uses=row.max_uses,
        failures=row.pin_failures,
    )


def purpose_of(vault: Vault, link_id: str, sealed: bytes) -> str:
    """Returns what the holder said that a link is for, "" for nothing."""
    return vault.open(share_links, link_id, sealed, ShareLink).purpose


def _shown(vault: Vault, row: Row[Any], now: datetime) -> ShareLink:
    said = vault.open(share_links, row.id, row.sealed, ShareLink)
    link = ShareLink(
        name=names.child(vault.holder, "shareLinks", row.id),
        label=said.label,
        purpose=said.purpose,
        legal_basis=MANDATE_LEGAL_BASIS_CONSENT,
        fields=row.fields,
        pages=row.pages,
        anonymous=row.anonymous,
        files=row.files,
        max_uses=row.max_uses,
        uses=row.uses,
        pin_required=bool(row.pin_hash),
        state=_state(row, now),
    )
    link.expire_time.FromDatetime(row.expires_at)
    link.create_time.FromDatetime(row.created_at)
    if row.revoked_at:
        link.revoke_time.FromDatetime(row.revoked_at)
    return link
