"""Looks without leave: who looked, when and on which ground is in the clear, what was written is sealed, and
goes with the holder's key, while the row stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import Row, and_, func, insert, select, update
from waymark.portfolio.v1 import break_glass_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.identity.principals import Principal
from services.portfolio.domain import names
from services.portfolio.store.collection import Paged, check_room, page_of
from services.portfolio.store.columns import is_row
from services.portfolio.store.rights_tables import break_glass_accesses
from services.portfolio.store.vault import Vault

Access = pb.BreakGlassAccess
COLLECTIONS = ("holders", "breakGlassAccesses")
LASTS = timedelta(hours=1)
_TABLE = break_glass_accesses


def create(tx: Transaction, vault: Vault, wanted: Access) -> Access:
    """Opens a portfolio to the caller; raises Refusal(QUOTA_EXCEEDED)."""
    check_room(tx, _TABLE, vault.holder)
    row_id = new_id()
    row = tx.execute(
        insert(_TABLE)
        .values(
            holder_id=vault.holder,
            id=row_id,
            ground=wanted.ground,
            opener=tx.principal.subject,
            organisation=tx.principal.organisation,
            reviewer="",
            verdict=0,
            expires_at=tx.now + LASTS,
            sealed=vault.seal(_TABLE, row_id, Access(reason=wanted.reason)),
            created_at=tx.now,
        )
        .returning(_TABLE)
    ).one()
    return _shown(row, vault, tx.now)


def get(tx: Transaction, holder: str, row_id: str, vault: Vault | None, *, lock: bool = False) -> Access:
    """Returns a look, `lock`ed until the end of the transaction, and what was written where a vault is given;
    raises Refusal(NOT_FOUND)."""
    query = select(_TABLE).where(is_row(_TABLE, holder, row_id))
    return _shown(tx.one(query.with_for_update() if lock else query), vault, tx.now)


def listed(
    tx: Transaction,
    signer: PageTokenSigner,
    holder: str,
    vault: Vault | None,
    request: pb.ListBreakGlassAccessesRequest,
) -> Paged[Access]:
    """Returns a page of the looks at a holder, newest first."""
    found = page_of(tx, signer, _TABLE, holder, request)
    return Paged([_shown(row, vault, tx.now) for row in found.rows], found.next_page_token)


def unreviewed(
    tx: Transaction, signer: PageTokenSigner, request: pb.ListUnreviewedBreakGlassAccessesRequest
) -> Paged[Access]:
    """Returns a page of the looks that wait for a second person, oldest first, without what was written."""
    waiting = select(_TABLE).where(_TABLE.c.reviewed_at.is_(None))
    found = page(tx, signer, waiting, order_by=[_TABLE.c.id.asc()], request=request)
    return Paged([_shown(row, None, tx.now) for row in found.rows], found.next_page_token)


def end(tx: Transaction, holder: str, row_id: str) -> Access:
    """Ends a look of the caller's own; one that was over keeps its time. Raises Refusal(NOT_FOUND)."""
    own = and_(is_row(_TABLE, holder, row_id), _TABLE.c.opener == tx.principal.subject)
    ended = func.least(func.coalesce(_TABLE.c.ended_at, tx.now), _TABLE.c.expires_at)
    return _shown(tx.one(update(_TABLE).where(own).values(ended_at=ended).returning(_TABLE)), None, tx.now)


def review(tx: Transaction, access: Access, vault: Vault | None, verdict: int, note: str) -> Access:
    """Writes what the caller found of a locked look, which ends it; a note needs a holder who still has a
    key."""
    holder, row_id = names.parse(access.name, *COLLECTIONS)
    said = Access(reason=access.reason, review_note=note)
    row = tx.execute(
        update(_TABLE)
        .where(is_row(_TABLE, holder, row_id))
        .values(
            reviewer=tx.principal.subject,
            verdict=verdict,
            reviewed_at=tx.now,
            ended_at=func.least(func.coalesce(_TABLE.c.ended_at, tx.now), _TABLE.c.expires_at),
            sealed=vault.seal(_TABLE, row_id, said) if vault else b"",
        )
        .returning(_TABLE)
    ).one()
    return _shown(row, None, tx.now)


def in_force(connection: sqlalchemy.Connection, principal: Principal, holder: str) -> str | None:
    """Returns the name of a look that the caller has open now, if any."""
    row = connection.execute(
        select(_TABLE.c.id)
        .where(
            _TABLE.c.holder_id == holder,
            _TABLE.c.opener == principal.subject,
            _TABLE.c.organisation == principal.organisation,
            _TABLE.c.expires_at > func.now(),
            _TABLE.c.ended_at.is_(None),
        )
        .limit(1)
    ).one_or_none()
    return None if row is None else names.child(holder, "breakGlassAccesses", row.id)


def close_with(tx: Transaction, holder: str) -> None:
    """Forgets what was written of an erased holder."""
    tx.execute(update(_TABLE).where(_TABLE.c.holder_id == holder).values(sealed=b""))


def _shown(row: Row[Any], vault: Vault | None, now: datetime) -> Access:
    access = vault.open(_TABLE, row.id, row.sealed, Access) if vault and row.sealed else Access()
    over = Access.STATE_ENDED if row.ended_at or row.expires_at <= now else Access.STATE_OPEN
    access.name = names.child(row.holder_id, "breakGlassAccesses", row.id)
    access.state = Access.STATE_REVIEWED if row.reviewed_at else over
    access.ground, access.verdict = row.ground, row.verdict
    access.opener, access.organisation, access.reviewer = row.opener, row.organisation, row.reviewer
    access.expire_time.FromDatetime(row.expires_at)
    access.create_time.FromDatetime(row.created_at)
    for field, value in ((access.end_time, row.ended_at), (access.review_time, row.reviewed_at)):
        if value:
            field.FromDatetime(value)
    return access
