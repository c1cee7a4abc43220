"""Active pathways on which nothing moves, or nothing can: noticed once each, and who finds them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, exists, select, tuple_, update
from waymark.portfolio.v1.mandate_pb2 import MANDATE_PART_PATHWAYS
from waymark.portfolio.v1.pathway_pb2 import ListStalledPathwaysRequest, Pathway, StalledPathway

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.domain.pathways import STALLS_AFTER
from services.portfolio.store import step_courses
from services.portfolio.store.collection import Paged
from services.portfolio.store.columns import fixed
from services.portfolio.store.mandates import covering
from services.portfolio.store.step_courses import PathwayKey
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


def notice_courses(tx: Transaction, locked: Collection[PathwayKey]) -> list[tuple[str, list[str]]]:
    """Marks those active ones of some locked pathways that have a step whose course is not offered any more;
    returns the names of those that were not marked before, each with such steps.

    Takes the mark from those that have none, unless nothing has moved on them for long.
    """
    if not locked:
        return []
    needy = _needy(tx, locked)
    fine = [key for key in locked if key not in needy]
    key = tuple_(pathways.c.holder_id, pathways.c.id)
    lively = pathways.c.updated_at >= tx.now - STALLS_AFTER
    unmark = update(pathways).where(key.in_(fine), pathways.c.stalled_at.is_not(None), lively)
    tx.execute(unmark.values(stalled_at=None))
    mark = update(pathways).where(key.in_(list(needy)), _ACTIVE, pathways.c.stalled_at.is_(None))
    marked = tx.execute(mark.values(stalled_at=tx.now).returning(pathways.c.holder_id, pathways.c.id))
    return [
        (names.child(row.holder_id, "pathways", row.id), needy[row.holder_id, row.id])
        for row in sorted(marked, key=tuple)
    ]


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
    needy = _needy(tx, [(row.holder_id, row.id) for row in found.rows])
    shown = [_shown(row, needy.get((row.holder_id, row.id), [])) for row in found.rows]
    return Paged(shown, found.next_page_token)


def _needy(tx: Transaction, keys: Collection[PathwayKey]) -> dict[PathwayKey, list[str]]:
    """Returns the names of steps whose course or session is not offered any more, of pathways with such."""
    found = {
        (holder, pathway): [
            f"{names.child(holder, 'pathways', pathway)}/steps/{step}"
            for step, of in told.items()
            if of.standing
        ]
        for (holder, pathway), told in step_courses.told(tx, keys).items()
    }
    return {key: steps for key, steps in found.items() if steps}


def _shown(row: Row[Any], steps: Sequence[str]) -> StalledPathway:
    stalled = StalledPathway(pathway=names.child(row.holder_id, "pathways", row.id), steps=steps)
    stalled.update_time.FromDatetime(row.updated_at)
    stalled.stall_time.FromDatetime(row.stalled_at)
    return stalled
