"""Group programmes: the plan as it was written, which tells of nobody, and the map drawn at the end."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import Row, func, insert, select, update
from waymark.portfolio.v1 import group_programme_pb2 as pb
from waymark.portfolio.v1.group_membership_pb2 import GroupMembership

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.portfolio.domain.states import wrong_state
from services.portfolio.store.collection import Paged, fill
from services.portfolio.store.columns import fixed
from services.portfolio.store.company_tables import group_memberships, group_programmes

_TABLE = group_programmes
_MEMBERS = (
    select(func.count())
    .select_from(group_memberships)
    .where(
        group_memberships.c.programme_id == _TABLE.c.id,
        group_memberships.c.state == fixed(GroupMembership.STATE_ACTIVE),
    )
    .scalar_subquery()
)
_READ = select(_TABLE, func.coalesce(_TABLE.c.members, _MEMBERS).label("counted"))


def create(tx: Transaction, programme: pb.GroupProgramme) -> pb.GroupProgramme:
    """Adds a programme."""
    row_id = new_id()
    tx.execute(
        insert(_TABLE).values(
            id=row_id,
            organisation=programme.organisation,
            leader=programme.leader,
            state=pb.GroupProgramme.STATE_OPEN,
            content=programme.SerializeToString(),
            created_at=tx.now,
        )
    )
    return get(tx, row_id)


def get(tx: Transaction, programme_id: str, *, lock: bool = False) -> pb.GroupProgramme:
    """Returns a programme, `lock`ed until the end of the transaction; raises Refusal(NOT_FOUND).

    Members are counted after the lock is there, so that the number stays right.
    """
    if lock:
        tx.one(select(_TABLE.c.id).where(_TABLE.c.id == programme_id).with_for_update())
    return _shown(tx.one(_READ.where(_TABLE.c.id == programme_id)))


def listed(
    tx: Transaction, signer: PageTokenSigner, request: pb.ListGroupProgrammesRequest
) -> Paged[pb.GroupProgramme]:
    """Returns a page of programmes, of one organisation where the request names it, newest first."""
    query = _READ.where(_TABLE.c.organisation == request.organisation) if request.organisation else _READ
    filters = {"organisation": request.organisation}
    found = page(tx, signer, query, order_by=[_TABLE.c.id.desc()], request=request, filters=filters)
    return Paged([_shown(row) for row in found.rows], found.next_page_token)


def complete(tx: Transaction, programme_id: str, members: int, drawn: pb.EmployabilityMap) -> None:
    """Completes a locked programme: how many were in it to the end, and the map of where they were."""
    values = {
        "state": pb.GroupProgramme.STATE_COMPLETED,
        "members": members,
        "map": drawn.SerializeToString(),
        "completed_at": tx.now,
    }
    tx.execute(update(_TABLE).where(_TABLE.c.id == programme_id).values(**values))


def map_of(tx: Transaction, programme_id: str) -> pb.EmployabilityMap:
    """Returns the map of a completed programme; raises Refusal(NOT_FOUND, WRONG_STATE)."""
    row = tx.one(select(_TABLE.c.map).where(_TABLE.c.id == programme_id))
    if row.map is None:
        raise wrong_state("OPEN", "COMPLETED")
    return pb.EmployabilityMap.FromString(row.map)


def people_of(connection: sqlalchemy.Connection, programme_id: str) -> tuple[str, str]:
    """Returns organisation and leader of a programme, both "" when there is none such."""
    query = select(_TABLE.c.organisation, _TABLE.c.leader).where(_TABLE.c.id == programme_id)
    row = connection.execute(query).one_or_none()
    return (row.organisation, row.leader) if row else ("", "")


def _shown(row: Row[Any]) -> pb.GroupProgramme:
    programme = pb.GroupProgramme.FromString(row.content)
    fill(programme, f"groupProgrammes/{row.id}", row)
    programme.organisation, programme.leader = row.organisation, row.leader
    programme.state, programme.members = row.state, row.counted
    if row.completed_at:
        programme.complete_time.FromDatetime(row.completed_at)
    return programme
