"""Rights requests: where each stands is in the clear, what was written is sealed, and goes with the holder's
key, while the row stays."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from sqlalchemy import (
    Row,
    case,
    func,
    insert,
    select,
    tuple_,
    update,
)
from waymark.portfolio.v1 import rights_request_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names, rights
from services.portfolio.store.collection import Paged, check_room, page_of
from services.portfolio.store.columns import fixed, is_row
from services.portfolio.store.rights_tables import rights_requests
from services.portfolio.store.vault import Vault

Request = pb.RightsRequest
COLLECTIONS = ("holders", "rightsRequests")
_TABLE = rights_requests
_OPEN = _TABLE.c.state <= fixed(Request.STATE_PREPARING)


def create(tx: Transaction, vault: Vault, wanted: Request) -> Request:
    """Adds a request, which is due in a month; raises Refusal(QUOTA_EXCEEDED)."""
    check_room(tx, _TABLE, vault.holder)
    row_id = new_id()
    row = tx.execute(
        insert(_TABLE)
        .values(
            holder_id=vault.holder,
            id=row_id,
            kind=wanted.kind,
            state=Request.STATE_RECEIVED,
            identity_proof=0,
            refusal_ground=0,
            handler="",
            due_at=rights.due(tx.now),
            sealed=_sealed(vault, row_id, wanted),
            created_at=tx.now,
            updated_at=tx.now,
        )
        .returning(_TABLE)
    ).one()
    return _shown(row, vault)


def get(tx: Transaction, holder: str, row_id: str, vault: Vault | None, *, lock: bool = False) -> Request:
    """Returns a request, `lock`ed until the end of the transaction, and what was written where a vault is
    given; raises Refusal(NOT_FOUND)."""
    query = select(_TABLE).where(is_row(_TABLE, holder, row_id))
    return _shown(tx.one(query.with_for_update() if lock else query), vault)


def listed(
    tx: Transaction,
    signer: PageTokenSigner,
    holder: str,
    vault: Vault | None,
    request: pb.ListRightsRequestsRequest,
) -> Paged[Request]:
    """Returns a page of a holder's requests, newest first."""
    found = page_of(tx, signer, _TABLE, holder, request)
    return Paged([_shown(row, vault) for row in found.rows], found.next_page_token)


def waiting(
    tx: Transaction, signer: PageTokenSigner, request: pb.ListDueRightsRequestsRequest
) -> Paged[Request]:
    """Returns a page of the open requests of all holders, the soonest due first, without what was written."""
    query, before = select(_TABLE).where(_OPEN), None
    if request.HasField("due_before"):
        before = request.due_before.ToDatetime(UTC)
        query = query.where(_TABLE.c.due_at < before)
    found = page(
        tx,
        signer,
        query,
        order_by=[_TABLE.c.due_at, _TABLE.c.id],
        request=request,
        filters={"before": before},
    )
    return Paged([_shown(row, None) for row in found.rows], found.next_page_token)


def move(tx: Transaction, request: Request, vault: Vault | None) -> Request:
    """Writes a locked request as it is now, and what was written where the holder still has a key; returns it
    without that."""
    holder, row_id = names.parse(request.name, *COLLECTIONS)
    extended = request.extend_time.ToDatetime(UTC) if request.HasField("extend_time") else None
    row = tx.execute(
        update(_TABLE)
        .where(is_row(_TABLE, holder, row_id))
        .values(
            state=request.state,
            identity_proof=request.identity_proof,
            refusal_ground=request.refusal_ground,
            handler=request.handler,
            due_at=request.due_time.ToDatetime(UTC),
            extended_at=extended,
            # One that was extended is due anew.
            reminded_at=case(
                (_TABLE.c.extended_at.is_distinct_from(extended), None), else_=_TABLE.c.reminded_at
            ),
            sealed=_sealed(vault, row_id, request) if vault else b"",
            updated_at=tx.now,
        )
        .returning(_TABLE)
    ).one()
    return _shown(row, None)


def close_with(tx: Transaction, holder: str) -> None:
    """Closes what an erased holder asked for, and forgets what was written: an erasure was delivered, and
    nothing is left of the rest."""
    same = _TABLE.c.holder_id == holder
    erasure = _TABLE.c.kind == Request.KIND_ERASURE
    done = case((erasure, Request.STATE_DELIVERED), else_=Request.STATE_WITHDRAWN)
    tx.execute(update(_TABLE).where(same, _OPEN).values(state=done, updated_at=tx.now))
    tx.execute(update(_TABLE).where(same).values(sealed=b""))


def remind(tx: Transaction, ahead: timedelta, *, limit: int = 500) -> list[Request]:
    """Marks up to `limit` open requests that are due within `ahead`; returns them without what was written.

    What somebody is working on just now is left to the next time.
    """
    soon = (
        select(_TABLE.c.holder_id, _TABLE.c.id)
        .where(_OPEN, _TABLE.c.reminded_at.is_(None), _TABLE.c.due_at < func.now() + ahead)
        .order_by(_TABLE.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [tuple(row) for row in tx.execute(soon)]
    if not found:
        return []
    those = tuple_(_TABLE.c.holder_id, _TABLE.c.id).in_(found)
    rows = tx.execute(update(_TABLE).where(those).values(reminded_at=tx.now).returning(_TABLE))
    return [_shown(row, None) for row in rows]


def _sealed(vault: Vault, row_id: str, request: Request) -> bytes:
    said = Request(text=request.text, extension_reason=request.extension_reason, note=request.note)
    return vault.seal(_TABLE, row_id, said)


def _shown(row: Row[Any], vault: Vault | None) -> Request:
    request = vault.open(_TABLE, row.id, row.sealed, Request) if vault and row.sealed else Request()
    request.name = names.child(row.holder_id, "rightsRequests", row.id)
    request.kind, request.state = row.kind, row.state
    request.identity_proof, request.refusal_ground = row.identity_proof, row.refusal_ground
    request.handler = row.handler
    request.due_time.FromDatetime(row.due_at)
    request.create_time.FromDatetime(row.created_at)
    request.update_time.FromDatetime(row.updated_at)
    if row.extended_at:
        request.extend_time.FromDatetime(row.extended_at)
    return request
