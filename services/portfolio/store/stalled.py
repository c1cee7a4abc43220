"""Active pathways on which nothing moves: noticed once each, and whose counsellor finds them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, exists, select, tuple_, update
from waymark.portfolio.v1.mandate_pb2 import MANDATE_PART_PATHWAYS
from waymark.portfolio.v1.pathway_pb2 import ListStalledPathwaysRequest, Pathway, StalledPathway

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store.collection import Paged
from services.portfolio.store.columns import fixed
from services.portfolio.store.mandates import covering
from services.portfolio.store.tables import mandates, pathways
from services.portfolio.store.vault import is_restricted

_ACTIVE = pathways.c.state == fixed(Pathway.STATE_ACTIVE)


def notice(tx: Transaction, after: timedelta, *, limit: int = 500) -> list[str]:
    """Marks up to `limit` active pathways that were not changed for `after`; returns their names.

    What somebody is changing just now is left to the next time.
    """
    still = (
        select(pathways.c.holder_id, pathways.c.id)
        .where(_ACTIVE, pathways.c.stalled_at.is_(None), pathways.c.updated_at < tx.now - after)
        .order_by(pathways.c.updated_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [(row.holder_id, row.id) for row in tx.execute(still)]
    if found:
        those = tuple_(pathways.c.holder_id, pathways.c.id).in_(found)
        tx.execute(update(pathways).where(those).values(stalled_at=tx.now))
    return [names.child(holder, "pathways", row_id) for holder, row_id in found]


def of_counsellor(
    tx: Transaction, signer: PageTokenSigner, request: ListStalledPathwaysRequest, purposes: Collection[int]
) -> Paged[StalledPathway]:
    """Returns a page of the stalled pathways of those whose mandate for one of `purposes` opens
    them to the caller, newest first."""
    theirs = mandates.c.holder_id == pathways.c.holder_id
    mandated = exists().where(theirs, covering(tx.principal, purposes, MANDATE_PART_PATHWAYS))
    restricted = exists().where(is_restricted(pathways.c.holder_id))
    columns = (pathways.c.holder_id, pathways.c.id, pathways.c.updated_at, pathways.c.stalled_at)
    found = page(
        tx,
        signer,
        select(*columns).where(_ACTIVE, pathways.c.stalled_at.is_not(None), mandated, ~restricted),
        order_by=[pathways.c.id.desc(), pathways.c.holder_id],
        request=request,
    )
    return Paged([_shown(row) for row in found.rows], found.next_page_token)


def _shown(row: Row[Any]) -> StalledPathway:
    stalled = StalledPathway(pathway=names.child(row.holder_id, "pathways", row.id))
    stalled.update_time.FromDatetime(row.updated_at)
    stalled.stall_time.FromDatetime(row.stalled_at)
    return stalled
