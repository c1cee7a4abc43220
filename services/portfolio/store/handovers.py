"""Offers to hand mandates over."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select, update
from waymark.portfolio.v1.handover_pb2 import Handover, ListHandoversRequest

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store.collection import Paged, check_room, page_of
from services.portfolio.store.columns import is_row
from services.portfolio.store.guidance_tables import handovers


def create(tx: Transaction, holder: str, mandate_id: str, wanted: Handover) -> Handover:
    """Adds an offer; raises Refusal(QUOTA_EXCEEDED)."""
    check_room(tx, handovers, holder)
    row = tx.execute(
        insert(handovers)
        .values(
            holder_id=holder,
            id=new_id(),
            mandate_id=mandate_id,
            counsellor=wanted.counsellor,
            organisation=wanted.organisation,
            state=Handover.STATE_OFFERED,
            new_mandate_id="",
            created_at=tx.now,
            updated_at=tx.now,
        )
        .returning(handovers)
    ).one()
    return _shown(row)


def lock(tx: Transaction, holder: str, handover_id: str) -> Handover:
    """Locks an offer and returns it; raises Refusal(NOT_FOUND)."""
    query = select(handovers).where(is_row(handovers, holder, handover_id))
    return _shown(tx.one(query.with_for_update()))


def answer(tx: Transaction, offer: Handover, state: int, new_mandate: str = "") -> Handover:
    """Writes what the holder said to a locked offer, and the name of the mandate that came of it."""
    holder, handover_id = names.parse(offer.name, "holders", "handovers")
    row = tx.execute(
        update(handovers)
        .where(is_row(handovers, holder, handover_id))
        .values(state=state, new_mandate_id=names.last(new_mandate), updated_at=tx.now)
        .returning(handovers)
    ).one()
    return _shown(row)


def listed(
    tx: Transaction, signer: PageTokenSigner, holder: str, request: ListHandoversRequest
) -> Paged[Handover]:
    """Returns a page of the offers to a holder, newest first."""
    found = page_of(tx, signer, handovers, holder, request)
    return Paged([_shown(row) for row in found.rows], found.next_page_token)


def _shown(row: Row[Any]) -> Handover:
    handover = Handover(
        name=names.child(row.holder_id, "handovers", row.id),
        mandate=names.child(row.holder_id, "mandates", row.mandate_id),
        counsellor=row.counsellor,
        organisation=row.organisation,
        state=row.state,
    )
    if row.new_mandate_id:
        handover.new_mandate = names.child(row.holder_id, "mandates", row.new_mandate_id)
    handover.create_time.FromDatetime(row.created_at)
    handover.update_time.FromDatetime(row.updated_at)
    return handover
